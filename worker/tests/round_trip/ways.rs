//! The ways by which a row can come into a table of PostgreSQL.

use serde_json::Value;

/// A way, as far as an import and its table decide it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) name: &'static str,
    /// Only rows that the server takes, so that no batch is refused.
    pub(crate) only_good: bool,
    /// Whether a column that only the server can read forces COPY's text form.
    pub(crate) as_text: bool,
    /// What is done about rows that are there.
    pub(crate) conflict: Option<&'static str>,
    /// What refuses one good row.
    pub(crate) refusal: Refusal,
    pub(crate) rebuilds: bool,
}

/// What refuses one row whose values are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Nothing,
    /// A constraint, which one query finds.
    Check,
    /// A trigger, which is only found by trying.
    Trigger,
}

const DIRECT: Way = Way {
    name: "direct, binary",
    only_good: true,
    as_text: false,
    conflict: None,
    refusal: Refusal::Nothing,
    rebuilds: false,
};

/// All of them.
pub(crate) const WAYS: &[Way] = &[
    DIRECT,
    Way { name: "direct, text", as_text: true, ..DIRECT },
    Way { name: "with bad rows, binary", only_good: false, ..DIRECT },
    Way { name: "with bad rows, text", only_good: false, as_text: true, ..DIRECT },
    Way { name: "sifted by a check, binary", only_good: false, refusal: Refusal::Check, ..DIRECT },
    Way { name: "sifted by a trigger, binary", only_good: true, refusal: Refusal::Trigger, ..DIRECT },
    Way { name: "sifted by a trigger, text", as_text: true, refusal: Refusal::Trigger, ..DIRECT },
    Way { name: "upsert skip, binary", only_good: false, conflict: Some("skip"), ..DIRECT },
    Way { name: "upsert skip, text", only_good: false, as_text: true, conflict: Some("skip"), ..DIRECT },
    Way { name: "upsert update, binary", only_good: false, conflict: Some("update"), ..DIRECT },
    Way { name: "upsert update, text", only_good: true, as_text: true, conflict: Some("update"), ..DIRECT },
    Way {
        name: "upsert update sifted by a trigger",
        only_good: false,
        conflict: Some("update"),
        refusal: Refusal::Trigger,
        ..DIRECT
    },
    Way { name: "rebuilt indexes", rebuilds: true, ..DIRECT },
];

impl Way {
    /// What the import is told of it.
    pub(crate) fn tell(&self, options: &mut Value) {
        if let Some(conflict) = self.conflict {
            options["on_conflict"] = conflict.into();
        }
        if self.rebuilds {
            options["rebuild_indexes"] = true.into();
        }
    }

    /// The table, of these types, that refuses the row `refused` if the way has any refuse one.
    pub(crate) fn table(&self, types: &[&str], refused: u64) -> String {
        let key = if self.conflict.is_some() || self.rebuilds { " PRIMARY KEY" } else { "" };
        let columns: String =
            types.iter().enumerate().map(|(number, sql)| format!(", c{number} {sql}")).collect();
        let forced = if self.as_text { ", forces inet" } else { "" };
        let check = match self.refusal {
            Refusal::Check => format!(", CHECK (id <> {refused})"),
            _ => String::new(),
        };
        let trigger = match self.refusal {
            Refusal::Trigger => format!(
                "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
                 'BEGIN RAISE EXCEPTION ''connection refused''; END';
                 CREATE TRIGGER refuse BEFORE INSERT ON imported_rows FOR EACH ROW WHEN (NEW.id = {refused}) EXECUTE FUNCTION refuse();"
            ),
            _ => String::new(),
        };
        format!(
            "DROP TABLE IF EXISTS imported_rows; CREATE TABLE imported_rows (id bigint{key}{columns}{forced}{check}); {trigger}"
        )
    }
}
