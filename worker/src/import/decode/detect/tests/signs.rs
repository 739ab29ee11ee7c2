//! Signs of Windows-1252 before an accented letter: an apostrophe, a dash, a quote. Their bytes are a kanji together.

use super::*;

fn look_at(text: &str, encoding: Encoding) -> Guess {
    let bytes = written(encoding, &format!("id;name;city\n{text}"));
    let at = bytes.iter().position(|byte| *byte >= 0x80).unwrap();
    let (context, ahead) = bytes.split_at(at);
    guess(context, ahead, true)
}

#[test]
fn an_apostrophe_before_an_accented_letter_is_western() {
    for words in [
        &["Place de l’Étoile"][..],
        &["Place de l’Étoile", "3 rue de l’Église", "Rue Victor Hugo", "Quai de l’Île"],
        &["Hôtel de l’Étoile", "Hôtel de l’Église"],
        &["D’Água", "Caixa d’água"],
        &["l’île", "l’âge", "l’ère"],
        &["Carrer de l’Òpera"],
        &["O’Éilligh"],
        &["D’ÉCOLE", "L’ÎLE"],
        &["C’è un posto", "dov’è"],
        &["aujourd’hui à l’école"],
        &["Joe’s Café – été"],
    ] {
        for rows in [1, 3, 50] {
            let text: String = (0..rows)
                .flat_map(|row| words.iter().map(move |word| format!("{row};{word};Paris\n")))
                .collect();
            let found = look_at(&text, Encoding::Windows1252);
            assert_eq!(found.encoding, Encoding::Windows1252, "{rows} {words:?}: {found:?}");
        }
    }
}

#[test]
fn a_capital_with_a_caron_before_an_accented_letter_is_western() {
    for words in [
        &["Jan Žák", "Petr Šíma", "Šárka Mala", "Eva Škoda Žíla"][..],
        &["Škoda", "Žák"],
        &["Ján Žák"],
        &["Šípek", "Žára", "Šárka"],
        &["ŠÁRKA", "ŽÁK"],
    ] {
        for encoding in [Encoding::Windows1250, Encoding::Windows1252] {
            let text: String = words.iter().map(|word| format!("1;{word};Praha\n")).collect();
            let found = look_at(&text, encoding);
            let bytes = written(encoding, &text);
            let reads = |other: &Encoding| decoded(*other, &bytes) == text;
            let is_western = matches!(found.encoding, Encoding::Windows1250 | Encoding::Windows1252);
            assert!(is_western, "{words:?} in {encoding}: {found:?}");
            assert!(
                reads(&found.encoding) || found.others.iter().any(reads),
                "{words:?} in {encoding}: {found:?}"
            );
        }
    }
}

#[test]
fn a_dash_or_a_quote_before_an_accented_letter_is_western_or_a_guess_that_names_it() {
    for word in ["Montreal –été 2024", "“Ñandú” and other stories", "sí—él"] {
        let found = look_at(&format!("1;{word};Paris\n"), Encoding::Windows1252);
        let is_named = [found.encoding].iter().chain(&found.others).any(|one| *one == Encoding::Windows1252);
        assert!(is_named, "{word}: {found:?}");
    }
}

#[test]
fn letters_that_windows_1252_does_not_have_are_central_european() {
    for words in [&["Ťápal"][..], &["ŠŤASTNÝ"], &["Źle"], &["ŤAŽKÝ"], &["Łódź"], &["Ťažký", "Žák", "byť"]]
    {
        for rows in [1, 4] {
            let text: String = (0..rows)
                .flat_map(|row| words.iter().map(move |word| format!("{row};{word};Praha\n")))
                .collect();
            let found = look_at(&text, Encoding::Windows1250);
            let is_named =
                [found.encoding].iter().chain(&found.others).any(|one| *one == Encoding::Windows1250);
            assert!(is_named, "{rows} {words:?}: {found:?}");
        }
    }
}

/// A byte that Windows-1252 does not have is a letter of Windows-1250.
#[test]
fn a_stray_byte_does_not_make_western_words_central_european() {
    let words = "1;François;Paris\n2;Hélène;Besançon\n3;Père Noël;Orléans\n4;l’Étoile;Nîmes\n";
    let western = written(Encoding::Windows1252, words);
    for end in
        [&b"5;Fran\x9Dais;Paris\n"[..], b"5;\x8Dx;Paris\n", b"5;\xE2\x80\x9D;Paris\n", b"5;\x8F;Paris\n"]
    {
        let bytes = [&western, end].concat();
        let at = bytes.iter().position(|byte| *byte >= 0x80).unwrap();
        let (context, ahead) = bytes.split_at(at);
        let found = guess(context, ahead, true);
        assert_eq!(found.encoding, Encoding::Windows1252, "{end:?}: {found:?}");
    }
}

/// Kanji whose first byte is such a sign, beside Latin letters.
#[test]
fn kanji_beside_latin_letters_stay_japanese() {
    for words in [
        &["A定食", "B定食"][..],
        &["JR長野", "町内", "B通り"],
        &["LED低価格", "Web調査"],
        &["庭園A棟", "通信B"],
        &["社員", "株式会社ABC", "若松町", "Tシャツ"],
        &["若松", "社内LAN", "者"],
        &["iPhone用ケース", "kg単価", "山田taro"],
        &["林", "歩", "夜"],
        &["訴A", "試A", "視B", "試AB"],
        &["座", "高", "国", "合a", "小b", "商品A"],
        &["座席", "香川", "高校", "住所", "小林", "所在"],
    ] {
        for count in 1..=words.len() {
            let text: String = words[..count].iter().map(|word| format!("1;{word};東京\n")).collect();
            let found = look_at(&text, Encoding::Cp932);
            assert_eq!(found.encoding, Encoding::Cp932, "{words:?}: {found:?}");
        }
    }
}

/// Bullets, ellipses and apostrophes directly before a word, as descriptions of products have them.
#[test]
fn a_sign_before_a_word_is_western_or_a_guess_that_names_it() {
    for words in [
        &["•Light •Easy to use •Safe", "•New •Red"][..],
        &["open ’til late", "get ’em"],
        &["•USB •WiFi •HDMI"],
        &["™new", "a•b"],
        &["3–D", "2–in–1"],
        &["‡note", "†see below"],
        &["ƒoo"],
        &["›next", "‹back"],
        &["5‰", "‰x"],
        &["…and more", "„so“"],
        &["wait—what", "London–Paris", "‘yes’"],
        &["20 €", "€20", "EUR/€"],
        &["½ cup", "¼ l", "№", "§ 5"],
        &["ÆØÅ", "ÀÉÈ"],
    ] {
        let written: Vec<_> =
            words.iter().filter(|word| !encoding_rs::WINDOWS_1252.encode(word).2).copied().collect();
        for rows in [1, 3, 50] {
            let text: String = (0..rows)
                .flat_map(|row| written.iter().map(move |word| format!("{row};{word};Paris\n")))
                .collect();
            let found = look_at(&text, Encoding::Windows1252);
            let is_named =
                [found.encoding].iter().chain(&found.others).any(|one| *one == Encoding::Windows1252);
            assert!(is_named || rows == 50, "{rows} {words:?}: {found:?}");
            let is_doubtful = found.encoding == Encoding::Windows1252 || !found.others.is_empty();
            assert!(is_doubtful, "{rows} {words:?}: {found:?}");
        }
    }
}

/// A letter or a sign alone may be many things.
#[test]
fn a_letter_alone_is_a_guess_that_names_what_it_may_be() {
    for (encoding, word) in [
        (Encoding::Windows1250, "ą"),
        (Encoding::Windows1250, "łąka"),
        (Encoding::Windows1250, "żółw"),
        (Encoding::Windows1252, "ÆØÅ"),
        (Encoding::Windows1252, "ÀÉÈ"),
        (Encoding::Windows1254, "Iğ"),
        (Encoding::Iso8859_15, "20 €"),
        (Encoding::Iso8859_15, "Ÿ"),
        (Encoding::Windows1250, "Ťažký"),
        (Encoding::Windows1250, "môže byť"),
    ] {
        let found = look_at(&format!("1;{word};x\n"), encoding);
        let is_named = [found.encoding].iter().chain(&found.others).any(|one| *one == encoding);
        assert!(is_named, "{word} in {encoding}: {found:?}");
    }
}
