//! UTF-8 of which a character is broken: cut off, or a byte that belongs to none. The bytes of the others are kana and kanji as
//! well, and Japanese files have words of their own that look like UTF-8 for a moment.

use super::*;

/// Words of one to three accented letters.
const LATIN: &[&[&str]] = &[
    &["Dvořák", "Černý", "Novák", "Procházka", "Svoboda", "Kučera", "Veselý", "Horák"],
    &["Kovács", "Szabó", "Tóth", "Varga", "Kőszegi", "Gyűrű", "Fülöp", "Németh"],
    &["Łukasz", "Wiśniewski", "Wójcik", "Zieliński", "Dąbrowski", "Kaźmierczak", "Żak", "Gołębiowska"],
    &["Müller", "Schröder", "Köln", "Groß", "Jäger", "Übung", "Österreich", "Bäcker"],
    &["François", "Hélène", "Noël", "Besançon", "Élan", "Crète", "Garçon", "Bénédicte"],
    &["José", "García", "Muñoz", "Ibáñez", "Núñez", "Ángel", "Málaga", "Córdoba"],
    &["João", "São Paulo", "Conceição", "Gonçalves", "Antônio", "Évora", "Simões", "Magalhães"],
    &["Åström", "Björk", "Løkken", "Sørensen", "Mäkinen", "Hämäläinen", "Sjöberg", "Ångström"],
    &["Şahin", "Yılmaz", "Çelik", "Öztürk", "Güneş", "Doğan", "İstanbul", "Koç"],
    &["Ştefan", "Țepeș", "Brașov", "Iași", "Bălan", "Chișinău", "Ioniță", "Mureșan"],
    &["Šarić", "Đurić", "Kovačević", "Božić", "Žižek", "Perišić", "Čačak", "Marušić"],
    &["MÜLLER", "GARCÍA", "DVOŘÁK", "SEÑOR", "ŁÓDŹ", "KÖLN", "FRANÇOIS", "ÅLESUND"],
    &["Nguyễn", "Trần", "Phạm", "Huỳnh", "Đặng", "Hồ Chí Minh", "Đà Nẵng", "Ngô"],
    &["Jūrmala", "Rīga", "Šiauliai", "Kaunas ąžuolas", "Põltsamaa", "Jõgeva", "Tõnu", "Bērziņš"],
];

const OTHER_ALPHABETS: &[&[&str]] = &[
    &["Привет", "Москва", "Иванов", "Анна", "банка", "Смирнова"],
    &["Αθήνα", "Γιώργος", "Παπαδόπουλος", "Ελένη", "Πάτρα", "Κρήτη"],
    &["محمد", "فاطمة", "القاهرة", "أحمد", "بيروت", "دمشق"],
    &["ירושלים", "דוד", "שרה", "חיפה", "משה", "רחל"],
];

/// Rows with these words, and with words of ASCII among them.
fn file(words: &[&str]) -> String {
    let rows =
        words.iter().enumerate().map(|(row, word)| format!("{row},{word},Town\n{row}8,Smith,London\n"));
    format!("id,name,city\n{}", rows.collect::<String>())
}

/// What a file ends with of which a character is broken.
fn broken_ends(word: &str) -> Vec<Vec<u8>> {
    let cuts = word.char_indices().filter(|(_, c)| !c.is_ascii()).flat_map(|(at, c)| {
        let (before, bytes) = word.as_bytes().split_at(at);
        let (character, behind) = bytes.split_at(c.len_utf8());
        let cut = &character[..character.len() - 1];
        [
            [before, cut, b",Town\n"].concat(),
            [before, cut, behind, b",Town\n"].concat(),
            [before, cut].concat(),
        ]
    });
    let strays = [0x80, 0x99, 0xA0, 0xC2, 0xC3, 0xC5, 0xE2, 0xE9, 0xFC, 0xFF];
    let strays = strays.iter().flat_map(|stray| {
        [
            [b"Fran", &[*stray][..], b",Town\n"].concat(),
            [b"", &[*stray][..], b",Town\n"].concat(),
            [b"Fr", &[*stray][..], b"nk,Town\n"].concat(),
        ]
    });
    cuts.chain(strays).collect()
}

fn look_at(bytes: &[u8]) -> Guess {
    let at = bytes.iter().position(|byte| *byte >= 0x80).unwrap_or(bytes.len());
    let (context, ahead) = bytes.split_at(at);
    guess(context, ahead, true)
}

fn wrong(words: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (first, last) in (0..words.len()).map(|at| (words[at], words[(at + 1) % words.len()])) {
        for count in [1, 2, 3, 6].into_iter().filter(|_| !first.is_ascii()) {
            let of_others = words.iter().copied().filter(|word| *word != first).take(count - 1);
            let whole: Vec<_> = std::iter::once(first).chain(of_others).collect();
            for end in broken_ends(last) {
                let before = file(&whole);
                let ways = [
                    [before.as_bytes(), b"99,", &end].concat(),
                    [b"id,name,city\n99,", &end[..], b"\n", before.as_bytes()].concat(),
                ];
                for bytes in ways {
                    let found = look_at(&bytes);
                    if found.encoding != Encoding::Utf8 {
                        wrong.push(format!("{:?}: {found:?}", String::from_utf8_lossy(&bytes)));
                    }
                }
            }
        }
    }
    wrong
}

#[test]
fn latin_words_of_utf8_stay_it_with_one_broken_character() {
    for words in LATIN {
        let wrong = wrong(words);
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
    }
}

#[test]
fn words_of_other_alphabets_stay_utf8_with_one_broken_character() {
    for words in OTHER_ALPHABETS {
        let wrong = wrong(words);
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
    }
}

#[test]
fn signs_of_utf8_stay_it_with_one_broken_character() {
    for value in [
        "10 °C", "10°C", "£10", "£ 10", "12 cm²", "§ 5", "1½", "Nr. 5º", "±5", "© 2024", "10 €", "it’s",
        "5 µm",
    ] {
        for count in 1..=8 {
            for stray in [0xC2, 0xC3, 0xA0, 0xE2, 0xFF] {
                let rows = (0..count).map(|row| format!("{row},{value}\n")).collect::<String>();
                let bytes = [b"id,v\n", rows.as_bytes(), b"9,", &[stray], b"\n"].concat();
                let found = look_at(&bytes);
                assert_eq!(found.encoding, Encoding::Utf8, "{count} {value} {stray:02X}: {found:?}");
            }
        }
    }
}

#[test]
fn characters_by_themselves_with_a_broken_one_are_a_guess_that_names_utf8() {
    for value in ["é", "½", "Ä", "ß", "ñ", "ø"] {
        for count in 1..=3 {
            let rows = (0..count).map(|row| format!("{row},{value}\n")).collect::<String>();
            let bytes = [b"id,v\n", rows.as_bytes(), b"9,\xC3\n"].concat();
            let found = look_at(&bytes);
            let names_utf8 = found.encoding == Encoding::Utf8 || found.others.contains(&Encoding::Utf8);
            assert!(names_utf8, "{count} {value}: {found:?}");
        }
    }
}

/// "ﾐｷ" is "з", "ﾅｵ" is "ŵ", "ﾐｽﾞｷ" are letters of two alphabets: names in half-width kana.
#[test]
fn characters_of_utf8_that_make_no_word_are_a_guess_that_names_the_others() {
    for names in ["ﾐｷ", "ﾅｵ", "ﾏｷ", "ﾕｷ", "ﾐｽﾞｷ"] {
        for count in 1..=20 {
            let rows = (0..count).map(|row| format!("{row},{names}\n")).collect::<String>();
            let found = look_at(&written(Encoding::Cp932, &format!("id,name\n{rows}")));
            assert!(found.others.contains(&Encoding::Cp932), "{count} {names}: {found:?}");
        }
    }
}

/// Words that begin or end with Latin letters, and kana and kanji whose bytes are letters of UTF-8.
#[test]
fn japanese_words_that_are_utf8_in_part_stay_japanese() {
    let half_width = [
        "ﾃｽﾄ",
        "Aﾃｽﾄ",
        "Webﾃｽﾄ",
        "ﾄｹｲ",
        "Tｼｬﾂ",
        "PCｹｰｽ",
        "LEDﾗｲﾄ",
        "ﾂｱｰ",
        "ﾃｨｯｼｭ",
        "Webｶﾒﾗ",
        "ﾀﾃ20 ﾖｺ30",
        "USBﾒﾓﾘ",
        "ﾐｷ ﾀｶｺ",
        "ﾅｵﾐ",
        "ﾏｻｺ",
        "ﾎｼﾉ ﾏｺﾄ",
        "ﾑｻｼ",
        "ﾐﾎ",
        "ﾄｼｵ",
        "ﾂｶｻ",
    ];
    let kanji = [
        "A長野",
        "JR長野",
        "東町",
        "A町内",
        "単価",
        "短期",
        "谷口",
        "鳥取",
        "担当",
        "1足の靴",
        "2束売り",
        "第1則",
        "直美",
        "中町",
        "AB谷間",
        "長男",
        "Tシャツ",
        "B型の単位",
        "探索",
        "蓄電",
    ];
    for first in 0..half_width.len() {
        for count in 1..=6 {
            let words: Vec<_> = half_width.iter().cycle().skip(first).take(count).copied().collect();
            let bytes = written(Encoding::Cp932, &file(&words));
            assert_eq!(look_at(&bytes).encoding, Encoding::Cp932, "{words:?}");
        }
    }
    for encoding in [Encoding::EucJp, Encoding::Cp932] {
        for first in 0..kanji.len() {
            for count in 1..=6 {
                let words: Vec<_> = kanji.iter().cycle().skip(first).take(count).copied().collect();
                let found = look_at(&written(encoding, &file(&words)));
                assert!(found.encoding != Encoding::Utf8, "{words:?} in {encoding}: {found:?}");
            }
        }
    }
}

/// A column that has one kanji again and again, of which the bytes are a letter of UTF-8, and another one once.
#[test]
fn a_kanji_that_is_a_letter_of_utf8_stays_one_beside_another() {
    let rows =
        (0..30).map(|row| format!("{row},{}\n", if row == 20 { "否" } else { "単" })).collect::<String>();
    assert_eq!(look_at(&written(Encoding::EucJp, &format!("id,v\n{rows}"))).encoding, Encoding::EucJp);
}

#[test]
fn western_words_with_one_byte_a_letter_are_no_utf8() {
    for words in LATIN {
        let western = |word: &&&str| !encoding_rs::WINDOWS_1252.encode(word).2;
        let words: Vec<_> = words.iter().filter(western).copied().collect();
        for count in 1..=words.len() {
            let bytes = written(Encoding::Windows1252, &file(&words[..count]));
            let found = look_at(&bytes);
            // Letters of the Baltic are those of other countries in the same places.
            let is_named =
                found.encoding == Encoding::Windows1250 && found.others.contains(&Encoding::Windows1252);
            assert!(found.encoding == Encoding::Windows1252 || is_named, "{:?}: {found:?}", &words[..count]);
        }
    }
}

/// Words of kana and kanji at random, some of them behind Latin letters.
#[test]
fn no_words_of_japanese_are_utf8_for_certain() {
    let kana: Vec<_> = ('ｱ'..='ﾝ').collect();
    // All of the usual ones, as EUC-JP orders them.
    let kanji: Vec<_> = (0xB0..0xCF_u8)
        .flat_map(|row| (0xA1..=0xFE_u8).map(move |cell| [row, cell]))
        .filter_map(|pair| japanese::character(encoding_rs::EUC_JP, &pair))
        .collect();
    let mut dice = 2026_u64;
    let mut roll = |sides: usize| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) as usize % sides
    };
    let mut wrong = Vec::new();
    for round in 0..4_000 {
        let (encoding, letters) =
            if round % 2 == 0 { (Encoding::Cp932, &kana) } else { (Encoding::EucJp, &kanji) };
        let mut words = Vec::new();
        for _ in 0..=roll(6) {
            let latin = ["", "", "", "A", "PC", "Web", "第1"][roll(if round % 3 == 0 { 7 } else { 3 })];
            let word: String = (0..3 + roll(3)).map(|_| letters[roll(letters.len())]).collect();
            words.push(format!("{latin}{word}"));
        }
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let bytes = written(encoding, &file(&words));
        let found = look_at(&bytes);
        // What is valid throughout may be either; hardly a word is.
        let is_broken = std::str::from_utf8(&bytes).is_err();
        if is_broken && found.encoding == Encoding::Utf8 && !found.others.contains(&encoding) {
            wrong.push(format!("{words:?} in {encoding}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
}
