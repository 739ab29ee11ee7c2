//! What the buttons Redrive and Cancel have in common: whether there is one, and the import that its form is about.

use super::address::Address;
use super::page_data::{PageData, Shown};
use super::parse;
use crate::error::PageError;
use crate::state::Console;

/// What a button does, or why it is not one.
pub(super) enum Offer {
    Yes { name: &'static str, address: String },
    No { name: &'static str, why: String },
    Hidden,
}

/// Why nothing that is begun here would go on.
pub(super) fn still(console: &Console) -> Option<String> {
    let up = || console.command_line("up");
    let why =
        || format!("no stack is up, so it would rest: end this console and start `{}`, which has one", up());
    console.target.is_at_rest.then(why)
}

/// The query that names the execution that is shown.
pub(super) fn query(shown: &Shown) -> String {
    format!("?execution={}", shown.execution.name())
}

/// The import and its execution that a form is about.
pub(super) async fn of(console: &Console, id: &str, query: &str) -> Result<(Address, PageData), PageError> {
    let address = Address::read(parse(id)?, query);
    let data = PageData::gather(console, &address).await?;
    Ok((address, data))
}

pub(super) fn none() -> PageError {
    PageError::bad_request("The import has no execution yet, or Step Functions has forgotten it.")
}
