//! The names of failures. They are what Retry in the definition matches; whether a failure is worth another attempt is
//! decided here and nowhere else.

macro_rules! failure_names {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $kind:ident;)*) => {
        /// Why an import failed, as Step Functions, the row of the ledger and the dead letter call it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum FailureName {
            $($(#[$doc])* $variant,)*
        }

        impl FailureName {
            /// Every name, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Whether another attempt may succeed without anybody's help.
            #[must_use]
            pub fn is_transient(self) -> bool {
                match self { $(Self::$variant => failure_names!(@$kind),)* }
            }
        }
    };
    (@permanent) => { false };
    (@transient) => { true };
}

failure_names! {
    /// The message asks for no import; nothing was started.
    MessageInvalid = "Message.Invalid", permanent;
    /// The message names an import that has no row, and does not describe it.
    NotRegistered = "Import.NotRegistered", permanent;
    /// The message describes the import otherwise than its row does.
    Contradiction = "Import.Contradiction", permanent;
    /// The import's options contradict each other, or the table.
    OptionsInvalid = "Import.OptionsInvalid", permanent;
    /// The same file was imported into this table before, and the import allows that only once.
    AlreadyImported = "Import.AlreadyImported", permanent;
    /// The worker's configuration does not allow this table to be written.
    TableNotAllowed = "Import.TableNotAllowed", permanent;
    /// There is no such table.
    TableMissing = "Import.TableMissing", permanent;
    /// The table has a column that must be given and whose type cannot be imported.
    ColumnUnsupported = "Import.ColumnUnsupported", permanent;
    /// There is no such object, or not this version of it.
    SourceMissing = "Import.SourceMissing", permanent;
    /// The worker may not read the object, or may not write the rejected rows next to it.
    SourceDenied = "Import.SourceDenied", permanent;
    /// The object was replaced while it was read.
    SourceChanged = "Import.SourceChanged", permanent;
    /// The object is no CSV that can be read: no header, another format, a record without end.
    SourceUnreadable = "Import.SourceUnreadable", permanent;
    /// The file's columns are not those of the table.
    HeaderMismatch = "Import.HeaderMismatch", permanent;
    /// More rows were rejected than the import allows.
    TooManyRejects = "Import.TooManyRejects", permanent;
    /// The database refused the rows as a whole: a constraint that only it can check.
    ConstraintViolation = "Import.ConstraintViolation", permanent;
    /// The database refuses the statement whatever the rows are: a permission, an object or a setting is missing.
    DatabaseMisconfigured = "Import.DatabaseMisconfigured", permanent;
    /// The worker has a fault of its own.
    Internal = "Import.Internal", permanent;
    /// The worker was asked to stop, and rolled back.
    Interrupted = "Import.Interrupted", transient;
    /// The database cannot be reached, is busy, full or read-only.
    DatabaseUnavailable = "Import.DatabaseUnavailable", transient;
    /// S3 cannot be reached, or broke off for good.
    SourceUnavailable = "Import.SourceUnavailable", transient;
}

impl std::fmt::Display for FailureName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
