//! The reasons of rejects as the rejects file has them. Most rejects of a file have one of a few reasons, so that each text
//! is kept once and numbered; should there be very many, the rest go by their code alone.

use std::collections::HashMap;

use crate::import::reject::Reject;

/// How many texts are kept. At some hundred bytes each, a megabyte or two.
const MAX_TEXTS: usize = 10_000;

/// Numbered texts.
#[derive(Default)]
pub(super) struct Texts {
    texts: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Texts {
    /// The number of a reject's reason.
    pub(super) fn number(&mut self, reject: &Reject) -> u32 {
        let code = reject.misfit.reason.code();
        let says = match &reject.column {
            Some(column) => format!("{}: {} ({code})", column.escape_debug(), reject.misfit.says),
            None => format!("{} ({code})", reject.misfit.says),
        };
        if let Some(number) = self.numbers.get(&says) {
            return *number;
        }
        let text = if self.texts.len() < MAX_TEXTS { says } else { code.to_owned() };
        if let Some(number) = self.numbers.get(&text) {
            return *number;
        }
        // There are at most a few more than MAX_TEXTS.
        let number = self.texts.len() as u32;
        self.texts.push(text.clone());
        self.numbers.insert(text, number);
        number
    }

    /// The text of this number.
    pub(super) fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", String::as_str)
    }
}
