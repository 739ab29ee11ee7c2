//! The reasons of rejects as the rejects file has them. Most rejects of a file have one of a few reasons, so that these texts
//! are kept once and numbered. Where the database makes a text for each row, the texts beyond a bound stay with their rejects.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::reject::Reject;
use crate::visible::visible;

/// What the numbered texts take in all, in bytes.
const KEPT_BYTES: usize = 256 * 1024;

/// The reason of a reject.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Text {
    /// A numbered one.
    Known(u32),
    /// One of its own.
    Own(String),
}

/// Numbered texts.
#[derive(Default)]
pub(super) struct Texts {
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
    bytes: usize,
}

impl Texts {
    /// A reject's reason.
    pub(super) fn of(&mut self, reject: &Reject) -> Text {
        let code = reject.misfit.reason.code();
        let says = &reject.misfit.says;
        let text = match &reject.column {
            Some(column) => format!("{}: {says} ({code})", visible(column)),
            None => format!("{says} ({code})"),
        };
        if let Some(number) = self.numbers.get(text.as_str()) {
            return Text::Known(*number);
        }
        if self.bytes + text.len() > KEPT_BYTES {
            return Text::Own(text);
        }
        self.bytes += text.len();
        // A text has at least a byte, so that there are few.
        let number = self.texts.len() as u32;
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        Text::Known(number)
    }

    /// The text of this number.
    pub(super) fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", |text| text)
    }
}

impl Text {
    /// What it takes beyond its number.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Known(_) => 0,
            Self::Own(text) => text.len(),
        }
    }
}
