//! What files that people have are detected as: each vector is a whole file, most of them as short as a file can be.

mod broken_utf8;
mod languages;
mod signs;

use super::*;
use crate::import::decode::{decoded, encoded as written};

fn detected(bytes: &[u8]) -> Encoding {
    let at = bytes.iter().position(|byte| *byte >= 0x80).unwrap_or(bytes.len());
    let (context, ahead) = bytes.split_at(at);
    guess(context, ahead, true).encoding
}

/// Alone, as a value of a row, and in quotes.
fn files(value: &str) -> [String; 4] {
    [
        value.to_owned(),
        format!("{value}\r\n"),
        format!("id,name\r\n1,{value}\r\n"),
        format!("\"1\";\"{value}\"\n"),
    ]
}

fn assert_detected(encoding: Encoding, values: &[&str]) {
    let mut wrong = Vec::new();
    for file in values.iter().flat_map(|value| files(value)) {
        let found = detected(&written(encoding, &file));
        if found != encoding {
            wrong.push(format!("{file:?} is taken for {found}"));
        }
    }
    assert!(wrong.is_empty(), "{encoding}:\n{}", wrong.join("\n"));
}

const JAPANESE: &[&str] = &[
    "山田太郎",
    "佐藤",
    "髙橋",
    "林",
    "森",
    "東",
    "北",
    "南",
    "西",
    "中",
    "木",
    "土",
    "渡邊",
    "齋藤 結衣",
    "さくら",
    "あ",
    "サトウ",
    "株式会社ＡＢＣ",
    "東京都千代田区1-2-3",
    "㈱山本",
    "①",
    "氏名,住所,電話番号",
    "電話は平日の午後のみ",
    "100円",
    "A棟",
    "A地区",
    "B型",
    "Tシャツ",
    "IT業界",
    "5cm以上",
    "WEBデザイン",
    "第1四半期",
    "No.5～No.9",
    "「はい」",
    "〒100-0001",
    "斉藤 ﾊﾅｺ",
    "～",
    "●",
    "→",
    "鬱",
    "機構",
    "表示",
    "ソ",
    "能力",
    "貼付",
    "暴露",
    "構図",
    "欠席",
    "ポスト",
    "日本",
    "令和6年1月1日",
    "有り",
    "無",
    "済",
    "未",
    "男",
    "女",
];

const HALF_WIDTH: &[&str] = &[
    "ﾔﾏﾀﾞ ﾀﾛｳ",
    "ｻﾄｳ",
    "ﾀｶﾊｼ",
    "ｶ)ｱﾍﾞ",
    "ﾃｽﾄ",
    "ﾊﾟﾈﾙ",
    "ﾌﾟﾘﾝﾀ",
    "Tｼｬﾂ",
    "LEDﾗｲﾄ",
    "ﾄｳｷｮｳﾄ",
    "ｱ",
    "ｲﾄｳ",
    "ｽｽﾞｷ ｲﾁﾛｳ",
    "ﾅｶﾑﾗ",
    "ｺﾊﾞﾔｼ",
    "ﾐｽﾞﾎ",
    "ﾎﾝﾃﾝ",
    "ﾌﾂｳ 1234567",
    "ﾜﾀﾅﾍﾞ",
    "ﾔﾏﾓﾄ",
];

#[test]
fn a_japanese_file_of_one_word_is_japanese() {
    assert_detected(Encoding::Cp932, JAPANESE);
}

#[test]
fn half_width_kana_are_japanese() {
    assert_detected(Encoding::Cp932, HALF_WIDTH);
}

#[test]
fn characters_that_only_code_page_932_has_are_japanese() {
    assert_detected(
        Encoding::Cp932,
        &["髙", "Ⅲ", "㎝", "㈱", "﨑", "髙﨑", "№1", "①②③", "ⅰ", "纊", "山﨑 Ⅳ"],
    );
}

#[test]
fn no_single_character_of_code_page_932_is_taken_for_windows_1252() {
    for (lead, trail) in (0x81..=0xFC).flat_map(|lead| (0x40..=0xFC).map(move |trail| (lead, trail))) {
        // Not those that everybody may define as he likes.
        let is_kanji = !matches!(lead, 0xA0..=0xDF | 0xF0..=0xF9)
            && encoding_rs::SHIFT_JIS
                .decode_without_bom_handling_and_without_replacement(&[lead, trail])
                .is_some();
        let file = [b"id,name\r\n1,", &[lead, trail][..], b"\r\n"].concat();
        assert!(!is_kanji || detected(&file) != Encoding::Windows1252, "{lead:02X}{trail:02X}");
    }
}

#[test]
fn euc_jp_is_told_from_code_page_932() {
    let values = [
        "山田太郎",
        "佐藤",
        "鈴木",
        "高橋",
        "田中",
        "渡邊",
        "さくら",
        "サトウ",
        "東京都千代田区1-2-3",
        "氏名,住所,電話番号",
        "株式会社",
        "日本",
        "電話は平日の午後のみ",
        "「はい」",
        "大阪府大阪市",
        "担当者",
        "商品名",
    ];
    assert_detected(Encoding::EucJp, &values);
}

#[test]
fn a_western_file_of_one_word_is_western() {
    let values = [
        "café",
        "Müller",
        "São Paulo",
        "it’s",
        "25°C",
        "£5",
        "Zoë",
        "François",
        "García",
        "Düsseldorf",
        "naïve",
        "Björn",
        "Peña",
        "João",
        "crème brûlée",
        "élève",
        "Élan",
        "Übung",
        "Straße",
        "SEÑOR",
        "CONSTITUIÇÃO",
        "Ångström",
        "cœur",
        "Œuvre",
        "O’Brien",
        "“yes”",
        "1990–1995",
        "a – b",
        "100 €",
        "€100",
        "Baton®",
        "1½",
        "l’été",
        "Malmö",
        "à la carte",
        "©2024",
        "§5",
        "«bonjour»",
        "¿Qué?",
        "don’t",
        "GRÖSSE",
        "Ñandú",
        "12 m²",
        "±5",
        "wait…",
        "créée",
        "Köln,Zürich",
        "5 µm",
        "Nº 5",
        "Ærø",
        "Løkken",
        "naïveté",
        "Jürgen Groß",
        "Renée",
        "Noël",
        "Háskóli Íslands",
        "þing",
        "año",
    ];
    assert_detected(Encoding::Windows1252, &values);
}

#[test]
fn what_is_valid_utf8_is_utf8_and_stays_it_with_a_few_broken_bytes() {
    assert_detected(Encoding::Utf8, JAPANESE);
    assert_detected(Encoding::Utf8, HALF_WIDTH);
    assert_detected(Encoding::Utf8, &["café", "Müller", "it’s", "é", "Привет", "😀", "김민준"]);
    let broken = ["東京".as_bytes(), b"\xFF,\xE6\x9D", "大阪,名古屋\n".as_bytes()].concat();
    assert_eq!(detected(&broken), Encoding::Utf8);
    let cut_off = "東京,大阪".as_bytes();
    assert_eq!(detected(&cut_off[..cut_off.len() - 1]), Encoding::Utf8);
}

#[test]
fn a_few_bytes_that_may_be_another_encoding_are_a_guess_with_a_doubt() {
    for (bytes, guessed, other) in [
        (&b"\xB1\n"[..], Encoding::Cp932, Encoding::Windows1252),
        (b"\xC5\n2,abc\n3,\xC5\n", Encoding::Cp932, Encoding::Windows1252),
        (b"\xBD cup\n2,\xBD\n3,\xBC cup\n", Encoding::Cp932, Encoding::Windows1252),
        // "表" in EUC-JP.
        (b"\xC9\xBD\n", Encoding::Utf8, Encoding::EucJp),
        (b"\xC9\xBD\n2,\xC9\xBD\n", Encoding::Utf8, Encoding::EucJp),
    ] {
        let guess = guess(b"id,v\n1,", bytes, true);
        assert_eq!(guess.encoding, guessed, "{bytes:?}");
        assert!(guess.others.contains(&other), "{bytes:?}: {guess:?}");
    }
    for text in ["café", "東京", "Müller ½", "Привет", "20 °C"] {
        assert_eq!(guess(b"id,v\n1,", text.as_bytes(), true).others, [], "{text}");
    }
    for text in ["東京都港区", "山田太郎さん"] {
        assert_eq!(guess(b"id,v\n1,", &written(Encoding::Cp932, text), true).others, [], "{text}");
    }
}

#[test]
fn a_look_ahead_that_ends_within_a_character_says_nothing_of_it() {
    for encoding in [Encoding::Utf8, Encoding::Cp932, Encoding::EucJp] {
        let bytes = written(encoding, &"住所は東京です".repeat(20));
        for cut in 0..4 {
            assert_eq!(guess(b"", &bytes[..bytes.len() - cut], false).encoding, encoding);
        }
    }
}

#[test]
fn utf16_without_a_mark_is_told_by_its_nul_bytes() {
    for text in [
        "id,name\n1,a\n",
        "id",
        "氏名,住所\r\n山田　一,東京\r\n",
        "番号\t名前\n1\t一郎\n",
        "\"あああああああああ\",\"い\"\r\n",
        "Größe;Höhe\n",
    ] {
        let units = |to_bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to_bytes).collect::<Vec<_>>();
        assert_eq!(utf16(&units(u16::to_le_bytes)), Some(Encoding::Utf16Le), "{text:?}");
        assert_eq!(utf16(&units(u16::to_be_bytes)), Some(Encoding::Utf16Be), "{text:?}");
    }
}

#[test]
fn other_files_with_nul_bytes_are_no_utf16() {
    for bytes in [
        &b"id,name\n1,a\0b\n2,c\n"[..],
        b"id,name\n1,\0\n",
        b"name\0\0\0\0,x\0\0\0\nab\0\0\0\0\0\0,\0\0\0\n",
        b"\0",
        b"",
        b"a,b\n\0\0\0\0",
        b"id,name\nxx,yyy\0\nzz,ww\0\n",
    ] {
        assert_eq!(utf16(bytes), None, "{bytes:?}");
    }
    assert_eq!(utf16(&written(Encoding::Cp932, "氏名,住所\n山田,東京\n")), None);
}
