//! What becomes of whole files: marks, declarations, detection, and files that are none.

use super::*;

fn options(json: &str) -> ImportOptions {
    serde_json::from_str(json).unwrap()
}

fn decoded_with(bytes: &[u8], options: &ImportOptions) -> Result<(Vec<u8>, Format), String> {
    let mut decoded = Decoded::new(bytes, options).map_err(|failure| failure.to_string())?;
    let mut text = Vec::new();
    while !decoded.ended() {
        decoded.read_more(&mut text).map_err(|error| read_failure(error).to_string())?;
    }
    Ok((text, decoded.format().clone()))
}

fn decoded(bytes: &[u8]) -> (Vec<u8>, Encoding, EncodingFrom) {
    let (text, format) = decoded_with(bytes, &ImportOptions::default()).unwrap();
    (text, format.encoding, format.encoding_from)
}

#[test]
fn a_byte_order_mark_is_taken_off_and_tells_the_encoding() {
    use Encoding::{Utf8, Utf16Be, Utf16Le};
    for (bytes, text, encoding) in [
        (&b"\xEF\xBB\xBFid,name\n1,a\n"[..], "id,name\n1,a\n", Utf8),
        (b"\xEF\xBB\xBF", "", Utf8),
        (b"\xFF\xFEi\0d\0\n\0\x0F\x6C", "id\n氏", Utf16Le),
        (b"\xFE\xFF\0i\0d\0\n\x6C\x0F", "id\n氏", Utf16Be),
        (b"\xFF\xFE", "", Utf16Le),
    ] {
        assert_eq!(decoded(bytes), (text.as_bytes().to_vec(), encoding, EncodingFrom::Mark));
    }
    for text in ["", "a", "id,name\n1,a\n"] {
        assert_eq!(decoded(text.as_bytes()), (text.as_bytes().to_vec(), Utf8, EncodingFrom::Detected));
    }
}

#[test]
fn a_mark_wins_over_a_declaration_and_a_declaration_over_the_looks() {
    let cp932 = options(r#"{"encoding":"cp932"}"#);
    let (text, format) = decoded_with(b"\xEF\xBB\xBF\xE6\x9D\xB1", &cp932).unwrap();
    assert_eq!((text.as_slice(), format.encoding), ("東".as_bytes(), Encoding::Utf8));
    assert_eq!((format.encoding_from, format.mark()), (EncodingFrom::Mark, &b"\xEF\xBB\xBF"[..]));
    let (text, format) = decoded_with(b"caf\xE9s", &options(r#"{"encoding":"latin1"}"#)).unwrap();
    assert_eq!((text.as_slice(), format.encoding_from), ("cafés".as_bytes(), EncodingFrom::Declared));
    let (text, format) = decoded_with("東京".as_bytes(), &cp932).unwrap();
    assert_ne!((text.as_slice(), format.mark()), ("東京".as_bytes(), &b"\xEF\xBB\xBF"[..]));
    let (text, _) = decoded_with(b"\xE9", &options(r#"{"encoding":"utf-8"}"#)).unwrap();
    assert_eq!(text, b"\xE9");
}

#[test]
fn the_encoding_is_told_at_the_first_character_that_is_not_ascii_however_late() {
    let ascii = "id,name\r\n1,abc\r\n".repeat(700_000);
    assert!(ascii.len() > 10_000_000);
    let file = [ascii.as_bytes(), b"2,\x95\x5C\x8E\xA6\r\n"].concat();
    let (text, encoding, _) = decoded(&file);
    assert_eq!(encoding, Encoding::Cp932);
    assert!(text == format!("{ascii}2,表示\r\n").into_bytes());
}

#[test]
fn utf8_is_passed_on_as_it_is() {
    let file = b"\xE6\x9D\xB1\xE4\xBA\xAC,caf\xC3\xA9,\xFF\n\xE6\x9D";
    assert_eq!(decoded(file), (file.to_vec(), Encoding::Utf8, EncodingFrom::Detected));
}

#[test]
fn utf16_without_a_mark_is_read() {
    let file: Vec<u8> = "氏名,年齢\n山田,20\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(decoded(&file).0, "氏名,年齢\n山田,20\n".as_bytes());
}

#[test]
fn what_is_plainly_no_csv_is_refused_by_name() {
    let tar = [vec![b'a'; 257], b"ustar\x0000".to_vec()].concat();
    let packed_twice = zstd::encode_all(&zstd::encode_all(&b"id\n"[..], 1).unwrap()[..], 1).unwrap();
    for (bytes, says) in [
        (&b"PK\x03\x04\x14"[..], "Excel"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "old Excel"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"SQLite format 3\0", "SQLite"),
        (b"\xFF\xFE\0\0i\0\0\0", "UTF-32"),
        (b"i\0\0\0d\0\0\0", "UTF-32"),
        (b"\0\0\0i\0\0\0d", "UTF-32"),
        (b"BZh9\x31\x41\x59\x26\x53\x59", "bzip2"),
        (&tar, "tar archive"),
        (&packed_twice, "compressed twice"),
    ] {
        let refusal = decoded_with(bytes, &ImportOptions::default()).unwrap_err();
        assert!(refusal.starts_with("Import.SourceUnreadable") && refusal.contains(says), "{refusal}");
        assert!(refusal.contains(crate::failure::words::NOT_READ), "{refusal}");
    }
    // Names of a header may begin as such a file does.
    for header in ["PAR1,b\n", "BZh9,b\n", "SQLite files,b\n"] {
        assert_eq!(decoded(header.as_bytes()).0, header.as_bytes());
    }
}

#[test]
fn iso_2022_jp_is_detected_at_its_first_escape_sequence_and_read_when_declared() {
    let rows = "1,abc\r\n".repeat(50_000);
    let text = format!("id,name\r\n{rows}2,山田太郎\r\n3,\"東京都\n千代田区\"\r\n");
    let (file, ..) = encoding_rs::ISO_2022_JP.encode(&text);
    let (read, encoding, from) = decoded(&file);
    assert_eq!((encoding, from), (Encoding::Iso2022Jp, EncodingFrom::Detected));
    assert!(read == text.as_bytes());
    let (read, format) = decoded_with(&file, &options(r#"{"encoding":"ISO-2022-JP"}"#)).unwrap();
    assert_eq!((format.encoding, format.encoding_from), (Encoding::Iso2022Jp, EncodingFrom::Declared));
    assert!(read == text.as_bytes());
}

#[test]
fn other_encodings_of_seven_bits_are_refused_by_name_however_late() {
    let rows = "1,abc\r\n".repeat(50_000);
    for (signs, says) in [
        ("\u{1b}$)C\u{e}1h\u{f}", "ISO-2022-KR"),
        ("\u{1b}$)A\u{e}VPND\u{f}", "ISO-2022-CN"),
        ("~{<:Ky2;NpJ)~}", "HZ"),
        ("\u{e}1=\u{f}", "shift codes"),
    ] {
        for file in [format!("{signs},x\n"), format!("id,name\r\n{rows}2,{signs}\r\n")] {
            let refusal = decoded_with(file.as_bytes(), &ImportOptions::default()).unwrap_err();
            assert!(refusal.contains(says) && refusal.contains("save it as UTF-8"), "{refusal}");
            let (text, _) = decoded_with(file.as_bytes(), &options(r#"{"encoding":"utf-8"}"#)).unwrap();
            assert!(text == file.as_bytes());
        }
    }
    let utf7 = b"id,+bA9UDQ-,+T09iQA-\n1,+XHF1MFkqkM4-,x\n";
    assert!(decoded_with(utf7, &ImportOptions::default()).unwrap_err().contains("UTF-7"));
}

#[test]
fn control_characters_that_are_no_encoding_are_passed_on() {
    let colours = "\u{1b}[31mred\u{1b}[0m,~/x,~{name},\u{e}\n".repeat(20_000);
    assert!(decoded(colours.as_bytes()).0 == colours.as_bytes());
    let (cp932, ..) = encoding_rs::SHIFT_JIS.encode("\u{1b}[31m東京\u{1b}[0m");
    assert_eq!(decoded(&cp932).1, Encoding::Cp932);
}

#[test]
fn a_declared_encoding_that_the_file_does_not_look_like_is_told() {
    let ascii = "1,abc\r\n".repeat(50_000);
    let doubt = |encoding: &str, bytes: &[u8]| {
        let (_, format) = decoded_with(bytes, &options(&format!(r#"{{"encoding":"{encoding}"}}"#))).unwrap();
        format.doubt
    };
    for encoding in ["cp932", "windows-1252", "euc-jp", "gb18030"] {
        for text in
            ["id,v\n1,東京\n".to_owned(), format!("{ascii}2,àéîôûç\n"), "\u{1F600}\u{1F600}".to_owned()]
        {
            let said = doubt(encoding, text.as_bytes()).unwrap();
            let expected =
                format!("looks like UTF-8, and was read as {encoding}, as the option encoding says");
            assert!(said.contains(&expected), "{said}");
        }
        assert_eq!(doubt(encoding, ascii.as_bytes()), None);
    }
    assert_eq!(doubt("utf-8", "東京都".as_bytes()), None);
    for (encoding, text) in [("cp932", "東京都港区"), ("euc-jp", "表、山田"), ("windows-1252", "Müller Ã©")]
    {
        let bytes = encoded(encoding.parse().unwrap(), text);
        assert_eq!(doubt(encoding, &bytes), None, "{text}");
    }
}

#[test]
fn a_guess_that_may_be_wrong_says_what_else_it_may_be() {
    let doubt = |encoding: Encoding, text: &str| {
        let bytes = encoded(encoding, text);
        let (_, format) = decoded_with(&bytes, &ImportOptions::default()).unwrap();
        (format.encoding, format.doubt)
    };
    let (encoding, says) = doubt(Encoding::Windows1250, "id,miasto\n1,Łódź\n2,Kraków\n3,Wrocław\n4,Gdańsk\n");
    assert_eq!(encoding, Encoding::Windows1250);
    let expected = "the encoding was guessed: windows-1250, but it may be windows-1252, windows-1254, windows-1257 or \
        iso-8859-15; if characters look wrong, name it with --encoding (the option encoding)";
    assert_eq!(says.as_deref(), Some(expected));
    assert!(doubt(Encoding::Windows1252, "id,v\n1,Müller\n2,Café\n3,déjà vu\n").1.is_some());
    assert_eq!(
        doubt(Encoding::Windows1252, "id,v\n1,Müller\n2,Café\n3,Größe\n4,Jürgen Schäfer, Köln\n").1,
        None
    );
    let japanese = "氏名,住所,電話番号\n山田太郎,東京都千代田区,03\n鈴木花子,大阪府大阪市北区,06\n";
    assert_eq!(doubt(Encoding::Cp932, japanese), (Encoding::Cp932, None));
    assert_eq!(doubt(Encoding::EucJp, japanese), (Encoding::EucJp, None));
    assert_eq!(doubt(Encoding::Cp932, "林"), (Encoding::Cp932, None));
    assert!(doubt(Encoding::Gb18030, "1,张三\n").1.is_some());
    let declared = decoded_with(b"caf\xE9s", &options(r#"{"encoding":"latin1"}"#)).unwrap().1;
    assert_eq!(declared.doubt, None);
}

#[test]
fn chinese_korean_and_russian_are_told_from_japanese_where_there_is_enough_of_them() {
    for (encoding, text) in [
        (Encoding::Gb18030, "编号,姓名,地址\n1,张三,北京市朝阳区建国路\n2,李四,上海市浦东新区\n"),
        (Encoding::Big5, "編號,姓名,地址\n1,陳大文,臺北市中正區重慶南路\n2,林小明,高雄市\n"),
        (Encoding::EucKr, "번호,이름,주소\n1,김철수,서울특별시 강남구\n2,이영희,부산광역시 해운대구\n"),
        (Encoding::Windows1251, "номер,имя,город\n1,Иван Петров,Москва\n2,Анна Смирнова,Санкт-Петербург\n"),
    ] {
        let bytes = encoded(encoding, text);
        let (read, format) = decoded_with(&bytes, &ImportOptions::default()).unwrap();
        assert_eq!((format.encoding, String::from_utf8(read).unwrap().as_str()), (encoding, text));
        let name = encoding.as_str();
        let (read, _) = decoded_with(&bytes, &options(&format!("{{\"encoding\":\"{name}\"}}"))).unwrap();
        assert_eq!(read, text.as_bytes());
    }
}

#[test]
fn letters_behind_those_that_were_looked_at_make_a_guess_doubtful() {
    let rows = |words: &[&str]| {
        let of = |number: usize| words.iter().map(move |word| format!("{number},{word}\n"));
        (0..10_000).flat_map(of).collect::<String>()
    };
    let german = rows(&["Müller", "Köln", "Jäger"]);
    let read = |text: &str| {
        let bytes = encoded(Encoding::Windows1250, text);
        let (_, format) = decoded_with(&bytes, &ImportOptions::default()).unwrap();
        (format.encoding, format.doubt)
    };
    assert_eq!(read(&german), (Encoding::Windows1252, None));
    let (encoding, doubt) = read(&format!("{german}1,Łukasz\n"));
    assert_eq!(encoding, Encoding::Windows1252);
    assert!(doubt.is_some_and(|said| said.contains("it may be windows-1250")));
}
