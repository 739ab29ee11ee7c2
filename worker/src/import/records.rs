//! The records of a file as an import reads them, for whoever shows them: what its quotes, its escape and its line breaks mean is known
//! here alone.

use std::io::Read;

use statemachine::ImportOptions;

use crate::failure::Failure;

/// Gives the fields of each record to `take`, which says whether it wants more. What is declared is not looked for.
///
/// # Errors
/// A [`Failure`] where the source cannot be read, or is no CSV.
pub fn each_record(
    source: impl Read,
    options: &ImportOptions,
    mut take: impl FnMut(&mut dyn Iterator<Item = &[u8]>) -> bool,
) -> Result<(), Failure> {
    let mut reader = super::open(source, options)?;
    while let Some(row) = reader.next_row()? {
        if !take(&mut row.fields.iter()) {
            break;
        }
    }
    Ok(())
}
