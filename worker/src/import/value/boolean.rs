//! Yes and no, in the words that programs write.

use crate::import::reject::{Misfit, Reason};

/// One of the usual words, in any case.
pub(super) fn parse(text: &str) -> Result<bool, Misfit> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    // Told apart by their lengths first: a column has mostly one or two of them.
    match text.len() {
        1 if is("1") || is("t") || is("y") => Ok(true),
        1 if is("0") || is("f") || is("n") => Ok(false),
        2 if is("on") => Ok(true),
        2 if is("no") => Ok(false),
        3 if is("yes") => Ok(true),
        3 if is("off") => Ok(false),
        4 if is("true") => Ok(true),
        5 if is("false") => Ok(false),
        // Beginnings of them that can mean but one.
        2..=4 if ["tr", "tru", "ye"].into_iter().any(is) => Ok(true),
        2..=4 if ["fa", "fal", "fals", "of"].into_iter().any(is) => Ok(false),
        _ => {
            let says = "is neither true nor false (true/false, t/f, yes/no, y/n, on/off, 1/0)";
            Err(Misfit::new(Reason::NotABoolean, says))
        }
    }
}
