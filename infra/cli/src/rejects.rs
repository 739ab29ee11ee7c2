//! `baton rejects`: the rows of an import that were rejected, and why. The first ones stand in the import's row; where there
//! are more, all that were kept are read from the rejects file, however many: no more than one of them is held at a time.

mod print;

use std::process::ExitCode;

use anyhow::Context as _;
use ops::findings;
use ops::numbers;
use ops::rejects::file::{Format, Object};
use ops::rejects::gone;
use ops::show::picture::{self, ImportPicture};
use ops::target::{Need, Target};
use statemachine::ImportOptions;

use crate::arguments::{Common, RejectsArguments};
use crate::output;
use crate::rejects::print::{AsJson, AsTable};

pub(crate) async fn rejects(common: &Common, arguments: &RejectsArguments) -> anyhow::Result<ExitCode> {
    let target = Target::open(&common.choice, Need::Look).await?;
    let shown = show(common, arguments, &target).await;
    target.close().await;
    shown.map(|()| ExitCode::SUCCESS)
}

async fn show(common: &Common, arguments: &RejectsArguments, target: &Target) -> anyhow::Result<()> {
    let id = &arguments.id;
    let import = match worker::imports::find(&mut target.database.connect()?, id)? {
        Some(row) => ImportPicture::from(row),
        // Says what is known of it all the same.
        None => picture::gather(&common.choice.commands, target, id, None).await?.import,
    };
    if arguments.csv {
        as_csv(common, &import, target).await
    } else {
        as_list(common, &import, &import.options, target).await
    }
}

/// The rejects file, byte by byte.
async fn as_csv(common: &Common, import: &ImportPicture, target: &Target) -> anyhow::Result<()> {
    if let Some(file) = import.findings.as_ref().and_then(|findings| findings.rejects_file.as_ref()) {
        let object = Object::open(target, &file.source).await?;
        return copy(object.ok_or_else(|| anyhow::anyhow!(gone(import, &file.source)))?).await;
    }
    if findings::rejects_of(import) > 0 {
        anyhow::ensure!(!is_under_way(import), "{}", under_way(import));
        anyhow::bail!(
            "the rejected rows of {} were not kept; `{}` lists the first ones",
            import.id,
            common.command("rejects", &import.id)
        );
    }
    output::complain(&none(import, &common.command("show", &import.id)));
    Ok(())
}

/// Writes the file to stdout as it is.
async fn copy(mut file: Object) -> anyhow::Result<()> {
    while let Some(part) = file.next().await? {
        if !output::raw(part.as_ref()).context("failed to write to stdout")? {
            break;
        }
    }
    Ok(())
}

/// A table or a JSON document of all rejects that are known.
async fn as_list(
    common: &Common,
    import: &ImportPicture,
    options: &ImportOptions,
    target: &Target,
) -> anyhow::Result<()> {
    let found = import.findings.clone().unwrap_or_default();
    let known = found.first_rejects.len() as u64;
    let all = findings::rejects_of(import);
    let mut object = None;
    if let Some(file) = found.rejects_file.as_ref().filter(|file| file.rows > known) {
        object = Object::open(target, &file.source).await?;
        if object.is_none() {
            output::complain(&gone(import, &file.source));
        }
    }
    let listed = match (&object, &found.rejects_file) {
        (Some(_), Some(file)) => file.rows,
        _ => known,
    };
    let format = Format::new(&found, options);
    match (object, common.json) {
        (Some(object), true) => object.read(format, AsJson::new(import)?).await?.end()?,
        (Some(object), false) => object.read(format, AsTable::new(all)).await?.end()?,
        (None, true) => AsJson::of_known(import)?,
        (None, false) if known > 0 => {
            findings::reject_table(&found.first_rejects).iter().for_each(|line| output::line(line));
        }
        (None, false) => {}
    }
    if all == 0 {
        output::complain(&none(import, &common.command("show", &import.id)));
    } else if is_under_way(import) {
        output::complain(&under_way(import));
    } else if listed < all {
        let (listed, all) = (numbers::count(listed), numbers::count(all));
        output::complain(&format!("these are the first {listed} of {all} rejects"));
    }
    Ok(())
}

fn is_under_way(import: &ImportPicture) -> bool {
    matches!(import.status.as_str(), "PENDING" | "RUNNING")
}

/// The rows are read again, and written down, behind the last of them.
fn under_way(import: &ImportPicture) -> String {
    let rejects = match findings::rejects_of(import) {
        1 => "1 row has".to_owned(),
        many => format!("{} rows have", numbers::count(many)),
    };
    format!(
        "{} is still under way, and {rejects} been rejected so far; they are told once it ends",
        import.id
    )
}

/// Why there is nothing to list. `show` is the command line that tells more.
fn none(import: &ImportPicture, show: &str) -> String {
    let id = &import.id;
    match (import.status.as_str(), &import.error) {
        ("PENDING", _) => format!("{id} has not begun yet; `{show}` tells how it goes"),
        ("RUNNING", _) => format!("{id} is running, and no row has been rejected so far"),
        ("FAILURE", Some(error)) => {
            format!("{id} failed with {error}, and no row was rejected; `{show}` tells why")
        }
        _ => format!("{id} has no rejects"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_without_rejects_says_how_it_stands() {
        let said = |status: &str, error: Option<&str>| {
            let (status, error) = (status.to_owned(), error.map(str::to_owned));
            none(&ImportPicture { status, error, ..findings::sample::import() }, "baton show people-2")
        };
        assert_eq!(said("SUCCESS", None), "people-2 has no rejects");
        assert!(said("PENDING", None).contains("not begun yet"));
        assert!(said("RUNNING", None).contains("so far"));
        assert!(said("FAILURE", Some("Import.SourceMissing")).contains("Import.SourceMissing"));
    }
}
