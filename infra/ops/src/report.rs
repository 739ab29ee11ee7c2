//! The report at the end of `run` and `submit --follow`: what became of the file, where its rows are, what to do next.

use std::time::Duration;

use crate::cli::Common;
use crate::show::picture::Picture;
use crate::{advice, output};

/// Prints the report of an import that has ended.
pub(crate) fn print(common: &Common, picture: &Picture, database: &str, took: Duration) {
    let import = &picture.import;
    let file = import.source.rsplit('/').next().unwrap_or(&import.source);
    if import.status == "SUCCESS" {
        output::line(&format!("imported {file} in {}", output::duration(took)));
        fact("rows", &output::count(import.rows.try_into().unwrap_or(0)));
        fact("rejects", &output::count(import.rejects.try_into().unwrap_or(0)));
        fact("table", &format!("{} in {database}", import.table));
    } else {
        output::line(&format!(
            "failed to import {file} into {} after {}",
            import.table,
            output::duration(took)
        ));
    }
    fact("attempts", &import.attempt.to_string());
    let execution = picture.execution.as_ref();
    if let Some(error) = execution.and_then(|execution| execution.error.as_ref()) {
        fact("error", error);
        fact(
            "cause",
            execution.and_then(|execution| execution.cause.as_deref()).unwrap_or("none was recorded"),
        );
        if let Some(advice) = advice::for_failure(error) {
            fact("next", advice);
        }
    }
    if let Some(fate) = &picture.message {
        fact("message", &fate.describe());
    }
    fact("more", &show_command(common, &import.id));
}

/// A fact of the report; lines after its first stand under it.
fn fact(label: &str, value: &str) {
    output::line(&format!("  {label:<9} {}", value.replace('\n', "\n            ")));
}

/// The command that shows the import, as it can be typed here.
fn show_command(common: &Common, id: &str) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "baton".to_owned());
    let data_dir = if common.data_dir.as_os_str() == ".baton" {
        String::new()
    } else {
        format!(" --data-dir {}", common.data_dir.display())
    };
    format!("{program} show {id}{data_dir}")
}
