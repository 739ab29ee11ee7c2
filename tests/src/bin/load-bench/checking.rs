//! The checking of a file alone, without a database: how many megabytes a second are read, decoded and checked.

use crate::arguments::Arguments;
use crate::data::Files;

/// Measures nothing yet: the worker's library offers no function that checks a file without a database.
pub(crate) fn measure(_: &Arguments, _: &Files) -> Vec<String> {
    vec!["the checking alone: the worker's library offers no function for it yet".to_owned()]
}
