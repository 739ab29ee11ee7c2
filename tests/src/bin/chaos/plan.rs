//! What is to be imported: files and messages of every kind, drawn from the seed, and what must come of each.

use std::fmt::Write as _;

use clap::ValueEnum;
use fastrand::Rng;
use serde_json::{Value, json};

/// What kind of import it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A file that is good.
    Good,
    /// A good file that two messages ask for at once.
    TwoMessages,
    /// A good file into a table with a key, where rows that are there are replaced.
    Upsert,
    /// There is no such object.
    Missing,
    /// The header is not the table's.
    WrongHeader,
    /// A row cannot be imported.
    BadRow,
    /// The message is no import at all.
    Noise,
}

/// One import.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// Rows of the file, 1 and more.
    pub(crate) rows: u32,
    /// When two messages ask: pause between them, in milliseconds.
    pub(crate) between_ms: u64,
}

/// Draws the imports. The tenth part or so cannot succeed.
pub(crate) fn draw(random: &mut Rng, count: usize, only: &[Kind]) -> Vec<Import> {
    let mut kinds = vec![
        (Kind::Good, 10),
        (Kind::TwoMessages, 4),
        (Kind::Upsert, 3),
        (Kind::Missing, 1),
        (Kind::WrongHeader, 1),
        (Kind::BadRow, 1),
        (Kind::Noise, 1),
    ];
    kinds.retain(|(kind, _)| only.is_empty() || only.contains(kind));
    let import = |number| Import {
        id: format!("chaos-{number}"),
        kind: weighted(random, &kinds),
        rows: if random.u8(0..5) == 0 { random.u32(2_000..20_000) } else { random.u32(1..200) },
        between_ms: random.u64(0..1_500),
    };
    (0..count).map(import).collect()
}

/// One of several, by their weights.
pub(crate) fn weighted<T: Copy>(random: &mut Rng, choices: &[(T, u32)]) -> T {
    let mut ticket = random.u32(0..choices.iter().map(|(_, weight)| weight).sum());
    for (choice, weight) in choices {
        if ticket < *weight {
            return *choice;
        }
        ticket -= weight;
    }
    choices[0].0
}

impl Import {
    /// Whether it succeeds if nothing befalls it.
    pub(crate) fn is_good(&self) -> bool {
        matches!(self.kind, Kind::Good | Kind::TwoMessages | Kind::Upsert)
    }

    /// The name of its failure if nothing else befalls it.
    pub(crate) fn failure(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Good | Kind::TwoMessages | Kind::Upsert => None,
            Kind::Missing => Some("Import.SourceMissing"),
            Kind::WrongHeader => Some("Import.HeaderMismatch"),
            Kind::BadRow => Some("Import.TooManyRejects"),
            Kind::Noise => Some("Message.Invalid"),
        }
    }

    pub(crate) fn table(&self) -> &'static str {
        if self.kind == Kind::Upsert { "latest" } else { "chaos" }
    }

    pub(crate) fn key(&self) -> String {
        format!("uploads/{}.csv", self.id)
    }

    /// The file; `None` where there is to be none.
    pub(crate) fn file(&self) -> Option<String> {
        let header = match self.kind {
            Kind::Missing | Kind::Noise => return None,
            Kind::WrongHeader => "import_id,zeile\n",
            _ => "import_id,line\n",
        };
        let mut csv = header.to_owned();
        for line in 1..=self.rows {
            let _ = writeln!(csv, "{},{line}", self.id);
        }
        if self.kind == Kind::BadRow {
            let _ = writeln!(csv, "{},many", self.id);
        }
        Some(csv)
    }

    /// The message that asks for it.
    pub(crate) fn body(&self, bucket: &str) -> String {
        if self.kind == Kind::Noise {
            return format!("{} asks for nothing", self.id);
        }
        let options = if self.kind == Kind::Upsert { json!({"on_conflict": "update"}) } else { Value::Null };
        let mut body = json!({
            "import_id": self.id,
            "source": format!("s3://{bucket}/{}", self.key()),
            "table": self.table(),
        });
        if !options.is_null() {
            body["options"] = options;
        }
        body.to_string()
    }
}
