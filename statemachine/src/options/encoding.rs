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
}

impl Encoding {
    /// Every encoding with its name, and the other names that it goes by.
    const NAMES: [(Self, &'static str, &'static [&'static str]); 13] = [
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
