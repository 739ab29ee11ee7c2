//! The console in a real browser: what a person sees and does there, from the upload to the redrive.

mod dead_letters;
mod failed_import;
mod keyboard;
mod pages;
mod pictures;
mod unheld;
mod upload;

use std::path::PathBuf;

use e2e::TestStack;
use serde_json::Value;

use crate::browser::Browser;
use crate::console::Console;

/// A file in a test's folder.
fn file(stack: &TestStack, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = stack.data_dir().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// The objects that were uploaded, by their keys.
async fn uploads(stack: &TestStack) -> Vec<String> {
    let listed = stack.s3.list_objects_v2().bucket(&stack.resources.bucket).prefix("uploads/").send().await;
    listed.unwrap().contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect()
}

/// The import that the page's address names.
async fn import_at(browser: &Browser) -> String {
    let is_import = |place: &str| place.starts_with("/imports/");
    let place = browser.arrives("the page of the import", is_import).await;
    place.trim_start_matches("/imports/").split(['?', '/']).next().unwrap().to_owned()
}

/// What an import was asked for with.
fn options(stack: &TestStack, import_id: &str) -> Value {
    let row = stack.import(&import_id.parse().unwrap()).unwrap();
    serde_json::from_str(&row.options).unwrap()
}
