//! Words of causes that advice goes by: `baton` reads a cause where the name of a failure alone does not say what helps. Who
//! writes such a cause takes the words from here.

/// Of a table that no configuration lets an import write.
pub const NEVER_WRITTEN: &str = "is Baton's or the database's own, and no import writes it";

/// Of a file without a header whose rows are not as wide as the table.
pub const WITHOUT_HEADER: &str = "and without a header";

/// Of a name in a header that seems to be several.
pub const OTHER_DELIMITER: &str = "are the fields separated by";

/// Of an object that is not the one whose upload started the import.
pub const ANOTHER_UPLOAD: &str = "not the file any more whose upload started this import: another one was uploaded in its place, \
                                  which is an import of its own";

/// Of a file without a row.
pub const EMPTY_FILE: &str = "the file is empty";

/// Of a file in a form that no option of an import makes readable.
pub const NOT_READ: &str = "which no import reads";
