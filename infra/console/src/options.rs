//! The options of an import as the form of an upload has them. The command line fills this, which has every option and its words
//! already: the page takes what `baton run` takes, and refuses it in the same words.

use statemachine::ImportOptions;

use crate::fields::Fields;

/// The form of an upload.
pub struct UploadForm {
    /// The options, in the order and the groups of `baton run --help`.
    pub options: Vec<FormOption>,
    /// Reads what was sent, or says all that is wrong with it.
    pub read: fn(&Fields) -> Result<Wanted, Vec<Problem>>,
}

/// An option of the form.
#[derive(Clone, Debug)]
pub struct FormOption {
    /// The name of its field.
    pub name: String,
    /// Its name on a command line, without the dashes.
    pub long: String,
    /// The sentence that says what it is.
    pub help: String,
    /// The group that it stands in; none: above them.
    pub group: Option<String>,
    /// What its field holds.
    pub takes: Takes,
    /// Its value where the field is empty.
    pub default: String,
    /// What stands in an empty field, to show what is meant.
    pub example: String,
    /// Its values, where there are only these.
    pub choices: Vec<FormChoice>,
    /// Whether it must be given.
    pub is_required: bool,
    /// Whether its value is what was typed, blanks and all.
    pub is_as_typed: bool,
}

/// What the field of an option holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: it is ticked or not.
    Nothing,
    /// One value.
    Value,
    /// A value in each line.
    Lines,
}

/// A value that can be chosen.
#[derive(Clone, Debug)]
pub struct FormChoice {
    /// The value.
    pub name: String,
    /// What it means.
    pub help: Option<String>,
}

/// What is asked for besides the file.
#[derive(Debug)]
pub struct Wanted {
    /// The table that the rows go to.
    pub table: String,
    /// Whether it is made where it is missing.
    pub create_table: bool,
    /// How the file is read and loaded.
    pub options: ImportOptions,
}

/// What is wrong with the form, and with which of its fields.
#[derive(Clone, Debug)]
pub struct Problem {
    field: Option<String>,
    says: String,
}

impl Problem {
    /// Of this field.
    pub fn of(field: &str, says: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), says: says.into() }
    }

    /// Of the form as a whole.
    pub fn general(says: impl Into<String>) -> Self {
        Self { field: None, says: says.into() }
    }

    /// Whether it is of this field.
    #[must_use]
    pub fn is_of(&self, field: &str) -> bool {
        self.field.as_deref() == Some(field)
    }

    /// What is wrong, in words.
    #[must_use]
    pub fn says(&self) -> &str {
        &self.says
    }
}
