#![doc = include_str!("../README.md")]

mod admit;
mod dead_letters;
mod error;
mod fields;
mod files;
mod guard;
mod import;
mod imports;
mod layout;
mod made_tables;
mod notices;
mod options;
mod overview;
mod returned_forms;
mod server;
mod settling;
mod sign_in;
mod state;
mod story;
mod upload;

pub use fields::Fields;
pub use guard::Guard;
pub use options::{FormChoice, FormOption, Problem, Takes, UploadForm, Wanted};
pub use server::{Address, Server};
pub use state::Console;
