#![doc = include_str!("../README.md")]

mod aws;
mod event;
mod function;
mod words;

pub use aws::{Patience, loader};
pub use event::{BrokenEvent, set, url};
pub use function::run;
pub use words::name_of;
