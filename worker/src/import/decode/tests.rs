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
        (b"PAR1", "Parquet"),
        (b"SQLite format 3\0", "SQLite"),
        (b"\xFF\xFE\0\0i\0\0\0", "UTF-32"),
        (b"BZh9", "bzip2"),
        (&tar, "tar archive"),
        (&packed_twice, "compressed twice"),
    ] {
        let refusal = decoded_with(bytes, &ImportOptions::default()).unwrap_err();
        assert!(refusal.starts_with("Import.SourceUnreadable") && refusal.contains(says), "{refusal}");
    }
}
