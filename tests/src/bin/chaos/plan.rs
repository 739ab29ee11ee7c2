//! What is to be imported: files and messages of every kind, drawn from the seed, and what must come of each.

pub(crate) mod records;
pub(crate) mod values;

use clap::ValueEnum;
use fastrand::Rng;
use serde_json::json;

use crate::backend::Rows;

/// What kind of import it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A file that is good.
    Good,
    /// A good file that two messages ask for at once.
    TwoMessages,
    /// A file into a table with a key, where rows that are there are replaced. A few of its rows are refused.
    Upsert,
    /// The same, but rows that are there stay.
    Skip,
    /// A file into a table without a key. A few of its rows are refused by a domain, an array, a check or the worker.
    Rejects,
    /// A good file into a table whose triggers leave rows out, change them and keep a log.
    Triggers,
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
    pub(crate) backend: Rows,
    /// What its values are drawn from.
    pub(crate) seed: u64,
    /// Rows of the file, 1 and more, but for those whose key comes again.
    pub(crate) rows: u32,
    /// When two messages ask: pause between them, in milliseconds.
    pub(crate) between_ms: u64,
}

/// Draws the imports. The tenth part or so cannot succeed.
pub(crate) fn draw(random: &mut Rng, count: usize, only: &[Kind], backend: Rows) -> Vec<Import> {
    let mut kinds = vec![
        (Kind::Good, 10),
        (Kind::TwoMessages, 4),
        (Kind::Upsert, 4),
        (Kind::Skip, 2),
        (Kind::Rejects, 3),
        (Kind::Triggers, 3),
        (Kind::Missing, 1),
        (Kind::WrongHeader, 1),
        (Kind::BadRow, 1),
        (Kind::Noise, 1),
    ];
    kinds.retain(|(kind, _)| only.is_empty() || only.contains(kind));
    let import = |number| Import {
        id: format!("chaos-{number}"),
        kind: weighted(random, &kinds),
        backend,
        seed: random.u64(..),
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
        self.failure().is_none()
    }

    /// The name of its failure if nothing else befalls it.
    pub(crate) fn failure(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Good | Kind::TwoMessages | Kind::Upsert | Kind::Skip | Kind::Rejects | Kind::Triggers => {
                None
            }
            Kind::Missing => Some("Import.SourceMissing"),
            Kind::WrongHeader => Some("Import.HeaderMismatch"),
            Kind::BadRow => Some("Import.TooManyRejects"),
            Kind::Noise => Some("Message.Invalid"),
        }
    }

    pub(crate) fn table(&self) -> &'static str {
        match self.kind {
            Kind::Upsert => "latest",
            Kind::Skip => "earliest",
            Kind::Rejects => "picky",
            Kind::Triggers => "triggered",
            _ => "chaos",
        }
    }

    pub(crate) fn key(&self) -> String {
        format!("uploads/{}.csv", self.id)
    }

    /// The file; `None` where there is to be none.
    pub(crate) fn file(&self) -> Option<Vec<u8>> {
        if matches!(self.kind, Kind::Missing | Kind::Noise) {
            return None;
        }
        let line = if self.kind == Kind::WrongHeader { "zeile" } else { "line" };
        let names = values::columns(self.backend).map(|column| column.name);
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(["import_id", line].into_iter().chain(names)).expect("memory takes a record");
        let records = self.records();
        let last = records.len();
        for (number, record) in records.into_iter().enumerate() {
            let is_bad = self.kind == Kind::BadRow && number + 1 == last;
            let line = if is_bad { "many".to_owned() } else { record.line.to_string() };
            let cells = record.cells(self).into_iter().map(|cell| cell.file.unwrap_or_default());
            csv.write_record([self.id.clone(), line].into_iter().chain(cells))
                .expect("memory takes a record");
        }
        Some(csv.into_inner().expect("memory takes a record"))
    }

    /// The message that asks for it.
    pub(crate) fn body(&self, bucket: &str) -> String {
        if self.kind == Kind::Noise {
            return format!("{} asks for nothing", self.id);
        }
        let mut options = json!({});
        match self.kind {
            Kind::Upsert => options["on_conflict"] = json!("update"),
            Kind::Skip => options["on_conflict"] = json!("skip"),
            _ => {}
        }
        if self.tolerates_rejects() {
            options["max_rejects"] = json!("100%");
        }
        json!({
            "import_id": self.id,
            "source": format!("s3://{bucket}/{}", self.key()),
            "table": self.table(),
            "options": options,
        })
        .to_string()
    }
}
