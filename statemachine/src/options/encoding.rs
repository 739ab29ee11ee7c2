//! The encodings that a file may have, and the names that they go by.

use std::fmt;
use std::str::FromStr;

/// How characters are written as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// Windows code page 932, the superset of Shift_JIS that Japanese programs write.
    Cp932,
    /// EUC-JP.
    EucJp,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// Windows code page 1252, the superset of ISO 8859-1 that Western programs write.
    Windows1252,
    /// ISO-2022-JP, seven bits with escape sequences.
    Iso2022Jp,
    /// GB 18030, the superset of GBK and GB 2312.
    Gb18030,
    /// Big5, as Windows code page 950 has it.
    Big5,
    /// EUC-KR, as Windows code page 949 has it.
    EucKr,
    /// Windows code page 1250, for Central Europe.
    Windows1250,
    /// Windows code page 1251, for Cyrillic.
    Windows1251,
    /// ISO 8859-15, which is ISO 8859-1 with the sign of the euro.
    Iso8859_15,
    /// Windows code page 1253, for Greek.
    Windows1253,
    /// Windows code page 1254, for Turkish, the superset of ISO 8859-9.
    Windows1254,
    /// Windows code page 1255, for Hebrew.
    Windows1255,
    /// Windows code page 1256, for Arabic.
    Windows1256,
    /// Windows code page 1257, for the Baltic languages.
    Windows1257,
    /// Windows code page 1258, for Vietnamese.
    Windows1258,
    /// Windows code page 874, for Thai, the superset of TIS-620.
    Windows874,
    /// ISO 8859-2, for Central Europe.
    Iso8859_2,
    /// ISO 8859-4, for Northern Europe.
    Iso8859_4,
    /// ISO 8859-5, for Cyrillic.
    Iso8859_5,
    /// ISO 8859-6, for Arabic.
    Iso8859_6,
    /// ISO 8859-7, for Greek.
    Iso8859_7,
    /// ISO 8859-8, for Hebrew.
    Iso8859_8,
    /// KOI8-R, for Russian.
    Koi8R,
    /// KOI8-U, for Ukrainian.
    Koi8U,
    /// Macintosh Roman.
    Macintosh,
    /// DOS code page 437, of the United States.
    Cp437,
    /// DOS code page 850, of Western Europe.
    Cp850,
    /// DOS code page 852, of Central Europe.
    Cp852,
    /// DOS code page 866, for Cyrillic.
    Cp866,
}

impl Encoding {
    /// Every encoding with its name, and the other names that it goes by.
    const NAMES: [(Self, &'static str, &'static [&'static str]); 33] = [
        (Self::Utf8, "utf-8", &["utf8"]),
        (Self::Cp932, "cp932", &["shift_jis", "shift-jis", "sjis", "windows-31j", "ms932", "932"]),
        (Self::EucJp, "euc-jp", &["eucjp", "euc_jp", "ujis"]),
        (Self::Utf16Le, "utf-16le", &["utf16le", "utf-16"]),
        (Self::Utf16Be, "utf-16be", &["utf16be"]),
        (Self::Windows1252, "windows-1252", &["cp1252", "1252", "latin1", "latin-1", "iso-8859-1"]),
        (
            Self::Iso2022Jp,
            "iso-2022-jp",
            &["iso2022jp", "iso2022-jp", "iso_2022_jp", "csiso2022jp", "cp50220", "cp50221", "jis"],
        ),
        (Self::Gb18030, "gb18030", &["gbk", "gb2312", "gb_2312", "cp936", "ms936", "936", "euc-cn"]),
        (Self::Big5, "big5", &["big-5", "cp950", "ms950", "950"]),
        (Self::EucKr, "euc-kr", &["euckr", "euc_kr", "cp949", "ms949", "uhc", "949"]),
        (Self::Windows1250, "windows-1250", &["cp1250", "1250"]),
        (Self::Windows1251, "windows-1251", &["cp1251", "1251"]),
        (Self::Iso8859_15, "iso-8859-15", &["iso8859-15", "latin9", "latin-9"]),
        (Self::Windows1253, "windows-1253", &["cp1253", "1253"]),
        (
            Self::Windows1254,
            "windows-1254",
            &["cp1254", "1254", "iso-8859-9", "iso8859-9", "latin5", "latin-5"],
        ),
        (Self::Windows1255, "windows-1255", &["cp1255", "1255"]),
        (Self::Windows1256, "windows-1256", &["cp1256", "1256"]),
        (Self::Windows1257, "windows-1257", &["cp1257", "1257"]),
        (Self::Windows1258, "windows-1258", &["cp1258", "1258"]),
        (Self::Windows874, "windows-874", &["cp874", "874", "tis-620", "tis620", "iso-8859-11"]),
        (Self::Iso8859_2, "iso-8859-2", &["iso8859-2", "latin2", "latin-2"]),
        (Self::Iso8859_4, "iso-8859-4", &["iso8859-4", "latin4", "latin-4"]),
        (Self::Iso8859_5, "iso-8859-5", &["iso8859-5"]),
        (Self::Iso8859_6, "iso-8859-6", &["iso8859-6"]),
        (Self::Iso8859_7, "iso-8859-7", &["iso8859-7"]),
        (Self::Iso8859_8, "iso-8859-8", &["iso8859-8"]),
        (Self::Koi8R, "koi8-r", &["koi8r", "koi8"]),
        (Self::Koi8U, "koi8-u", &["koi8u"]),
        (Self::Macintosh, "macintosh", &["macroman", "mac-roman", "x-mac-roman"]),
        (Self::Cp437, "cp437", &["437", "ibm437"]),
        (Self::Cp850, "cp850", &["850", "ibm850"]),
        (Self::Cp852, "cp852", &["852", "ibm852"]),
        (Self::Cp866, "cp866", &["866", "ibm866"]),
    ];

    /// The name, as options and reports have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(encoding, ..)| *encoding == self).map_or("utf-8", |(_, name, _)| name)
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Encoding {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let folded = text.to_ascii_lowercase();
        let mut names = Self::NAMES.iter();
        let found = names.find(|(_, name, others)| *name == folded || others.contains(&folded.as_str()));
        found.map(|(encoding, ..)| *encoding).ok_or_else(|| {
            let all: Vec<_> = Self::NAMES.iter().map(|(_, name, _)| *name).collect();
            format!("an encoding is one of {}, not {text:?}", all.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_go_by_many_names() {
        for (name, encoding) in [
            ("Shift_JIS", Encoding::Cp932),
            ("UTF8", Encoding::Utf8),
            ("EUC-JP", Encoding::EucJp),
            ("ISO-2022-JP", Encoding::Iso2022Jp),
            ("GB2312", Encoding::Gb18030),
        ] {
            assert_eq!(name.parse(), Ok(encoding));
        }
        assert!("klingon".parse::<Encoding>().unwrap_err().contains("cp932"));
    }
}
