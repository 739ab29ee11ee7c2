//! What an SQLSTATE means for an import. The code alone decides, never the words of a message: words are translated, and
//! they quote values. Source: PostgreSQL's appendix "PostgreSQL Error Codes".

/// What an error of the database means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A row is at fault: its values, a constraint, a trigger that refuses it.
    Row,
    /// The statement fails whatever the rows are: a permission, an object or a setting is missing.
    SetUp,
    /// The database is away, busy, full or read-only. Another attempt may succeed.
    Outage,
    /// The worker, or the server itself, has a fault.
    Internal,
}

/// Where PostgreSQL checks the row-level security of a written row. It reports a row that breaks a policy with the code of
/// a missing permission, and only the routine that raised the error tells the two apart. The names of routines are not
/// translated.
const POLICY_CHECK: &str = "ExecWithCheckOptions";

/// Codes that mean something else than their class does.
const CODES: [(&str, Meaning); 10] = [
    // The syntax of a value, such as a jsonpath or a tsquery that a check or a generated column reads; where it is SQL's own, the
    // file that raised the error tells.
    ("42601", Meaning::Row),
    ("42602", Meaning::Row),
    // What a COPY of our own making must never contain.
    ("22P04", Meaning::Internal),
    // A failover left a standby, the session or the statement was ended from outside, or somebody holds a lock.
    ("25006", Meaning::Outage),
    ("25P03", Meaning::Outage),
    ("25P04", Meaning::Outage),
    ("55006", Meaning::Outage),
    ("55P03", Meaning::Outage),
    // The integrity constraint of a transaction: the rows break it.
    ("40002", Meaning::Row),
    // The database was dropped; it does not come back by itself.
    ("57P04", Meaning::SetUp),
];

/// Classes of codes. Every other one is a row's: data (22), constraints (23), limits of a value's or row's size (54), check
/// options of views (44), PL/pgSQL's own errors (P0), and whatever class a trigger or function chooses for itself.
const CLASSES: [(Meaning, &[&str]); 3] = [
    // Connection, rollback of a transaction, resources, intervention of an operator, system errors, a snapshot that is too
    // old.
    (Meaning::Outage, &["08", "40", "53", "57", "58", "72"]),
    // Syntax and access rules, features and objects that are missing or not in the right state, logins, names of databases
    // and schemas, a foreign server, the server's configuration.
    (
        Meaning::SetUp,
        &["03", "0A", "0B", "0L", "0P", "0Z", "26", "28", "2B", "34", "3D", "3F", "42", "55", "F0", "HV"],
    ),
    // The protocol was broken, or a transaction is not in the state that we believe it to be in.
    (Meaning::Internal, &["25", "2D", "3B", "XX"]),
];

impl Meaning {
    /// The meaning of a code of five characters. `routine` is the C function that raised the error, `file` where that stands.
    pub(crate) fn of(code: &str, routine: Option<&str>, file: Option<&str>) -> Self {
        if code == "42501" && routine == Some(POLICY_CHECK) {
            return Self::Row;
        }
        if code.starts_with("42") && file.is_some_and(reads_sql) {
            return Self::SetUp;
        }
        let of_code = CODES.iter().find(|(known, _)| *known == code).map(|(_, meaning)| *meaning);
        of_code.unwrap_or_else(|| Self::of_class(code.get(..2).unwrap_or_default()))
    }

    fn of_class(class: &str) -> Self {
        CLASSES
            .iter()
            .find(|(_, classes)| classes.contains(&class))
            .map_or(Self::Row, |(meaning, _)| *meaning)
    }

    /// The same question as a condition of SQL, for a handler of exceptions: whether the code that the expression `code`
    /// gives has one of these meanings. What a policy refuses has the code of a missing permission there, too: a handler
    /// cannot see the routine.
    pub(crate) fn condition(code: &str, meanings: &[Self]) -> String {
        let mut branches = String::new();
        for (known, meaning) in CODES {
            branches.push_str(&format!(" WHEN {code} = '{known}' THEN {}", meanings.contains(&meaning)));
        }
        for (meaning, classes) in CLASSES {
            let classes = classes.join("', '");
            let is_one = meanings.contains(&meaning);
            branches.push_str(&format!(" WHEN pg_catalog.left({code}, 2) IN ('{classes}') THEN {is_one}"));
        }
        format!("(CASE{branches} ELSE {} END)", meanings.contains(&Self::Row))
    }
}

/// Whether a file of the server reads statements, of SQL or of PL/pgSQL.
fn reads_sql(file: &str) -> bool {
    matches!(file, "scan.l" | "gram.y" | "analyze.c") || file.starts_with("parse_") || file.starts_with("pl_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_constraints_and_triggers_blame_the_row() {
        for code in [
            "22001", "22003", "22P02", "22P05", "23505", "23514", "44000", "54000", "54001", "P0001",
            "U0001", "2F005",
        ] {
            assert_eq!(Meaning::of(code, None, None), Meaning::Row, "{code}");
        }
    }

    #[test]
    fn missing_permissions_objects_and_settings_blame_no_row() {
        for code in ["42501", "42P01", "42703", "42704", "42883", "3F000", "0A000", "55000", "3D000", "57P04"]
        {
            assert_eq!(Meaning::of(code, None, None), Meaning::SetUp, "{code}");
        }
    }

    #[test]
    fn outages_are_tried_again() {
        for code in [
            "08006", "40001", "40P01", "53100", "53200", "53300", "55P03", "57014", "57P01", "57P03",
            "58030", "25006",
        ] {
            assert_eq!(Meaning::of(code, None, None), Meaning::Outage, "{code}");
        }
    }

    #[test]
    fn a_row_that_breaks_a_policy_is_not_a_missing_permission() {
        assert_eq!(Meaning::of("42501", Some("ExecWithCheckOptions"), None), Meaning::Row);
        assert_eq!(Meaning::of("42501", Some("aclcheck_error"), None), Meaning::SetUp);
    }

    #[test]
    fn the_syntax_of_a_value_is_not_that_of_a_statement() {
        assert_eq!(Meaning::of("42601", Some("jsonpath_yyerror"), Some("jsonpath_scan.l")), Meaning::Row);
        assert_eq!(Meaning::of("42601", Some("makepol"), Some("tsquery.c")), Meaning::Row);
        for file in ["scan.l", "gram.y", "parse_target.c", "pl_exec.c"] {
            assert_eq!(Meaning::of("42601", None, Some(file)), Meaning::SetUp, "{file}");
        }
    }

    #[test]
    fn a_malformed_copy_is_our_own_fault() {
        assert_eq!(Meaning::of("22P04", None, None), Meaning::Internal);
    }
}
