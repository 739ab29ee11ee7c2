//! Bytes in; out comes a count or a failure, never a panic. The first byte chooses the options, the rest is the file. The
//! bound on memory is libFuzzer's own (`-rss_limit_mb`).

#![no_main]

use libfuzzer_sys::fuzz_target;
use statemachine::{Encoding, ImportOptions};

const ENCODINGS: [Option<Encoding>; 8] = [
    None,
    Some(Encoding::Iso2022Jp),
    Some(Encoding::Utf8),
    Some(Encoding::Cp932),
    Some(Encoding::EucJp),
    Some(Encoding::Utf16Le),
    Some(Encoding::Utf16Be),
    Some(Encoding::Windows1252),
];

fuzz_target!(|input: &[u8]| {
    let Some((choice, file)) = input.split_first() else { return };
    let options = ImportOptions {
        encoding: ENCODINGS[usize::from(choice & 7)],
        delimiter: if choice & 8 == 0 { None } else { ";".parse().ok() },
        escape: if choice & 16 == 0 { None } else { "\\".parse().ok() },
        ..ImportOptions::default()
    };
    // A failure is an answer, too.
    let _ = worker::import::read_all(file, &options);
});
