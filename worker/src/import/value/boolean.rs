//! Yes and no, in the words that programs write.

use crate::import::reject::{Misfit, Reason};

const TRUE: [&str; 6] = ["true", "t", "1", "yes", "y", "on"];
const FALSE: [&str; 6] = ["false", "f", "0", "no", "n", "off"];

/// One of the usual words, in any case.
pub(super) fn parse(text: &str) -> Result<bool, Misfit> {
    let is = |word: &&str| text.eq_ignore_ascii_case(word);
    if TRUE.iter().any(is) {
        Ok(true)
    } else if FALSE.iter().any(is) {
        Ok(false)
    } else {
        let says = "is neither true nor false (true/false, t/f, yes/no, y/n, on/off, 1/0)";
        Err(Misfit::new(Reason::NotABoolean, says))
    }
}
