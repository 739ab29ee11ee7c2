//! The encoding of text that is neither UTF-8 nor Japanese, by how often the letters of each language stand beside each other:
//! what the browsers' detector says.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use statemachine::Encoding;

use super::super::transcode::is_open_in_1252;

/// What the bytes look like most; none where that is an encoding that is not read. A byte that Windows-1252 does not have rules
/// it out for good: where the bytes `look_western`, those are asked without it as well.
pub(super) fn guess(context: &[u8], ahead: &[u8], whole: bool, look_western: bool) -> Option<Encoding> {
    if look_western && ahead.iter().any(|byte| is_open_in_1252(*byte)) {
        let without: Vec<_> = ahead.iter().copied().filter(|byte| !is_open_in_1252(*byte)).collect();
        let guess = ask(context, &without, whole);
        if guess == Some(Encoding::Windows1252) {
            return guess;
        }
    }
    ask(context, ahead, whole)
}

fn ask(context: &[u8], ahead: &[u8], whole: bool) -> Option<Encoding> {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(context, false);
    detector.feed(ahead, whole);
    detector.guess(None, Utf8Detection::Deny).name().parse().ok()
}
