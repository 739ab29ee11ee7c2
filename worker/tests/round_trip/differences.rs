//! What the server takes and Baton rejects, each with its reason: the first table of "Differences from COPY" in
//! worker/README.md. An entry that no case meets any more fails the run, and so does a case that must be met and is taken.

use crate::iso;
use crate::types::{Shape, Type};

/// An entry of the list.
pub(crate) struct Difference {
    pub(crate) name: &'static str,
    /// The reasons of the reject.
    codes: &'static [&'static str],
    /// The texts in question; where Baton reads the type itself, without white space around them and, but for bytea, with ASCII's
    /// digits.
    applies: fn(&str, &Column) -> bool,
    /// Whether each such text must be rejected; otherwise some are.
    always: bool,
    /// The last version of the server that takes such texts, if later ones refuse them.
    until: Option<u32>,
}

/// What an entry looks at, of a column's type.
pub(crate) struct Column {
    /// The name of the type below all domains; empty for what is made of others.
    base: String,
    /// The same of what an array is of.
    element: String,
    /// The digits that it keeps behind the point.
    digits: Option<i32>,
    /// The server's version.
    version: u32,
}

const USUAL: Difference =
    Difference { name: "", codes: &[], applies: |_, _| false, always: true, until: None };

pub(crate) const DIFFERENCES: &[Difference] = &[
    Difference {
        name: "more digits than the column keeps: the server rounds",
        codes: &["too_precise"],
        applies: |text, column| match (column.is("numeric"), column.digits) {
            (true, Some(digits)) => iso::digits_behind_the_point(text).is_some_and(|needed| needed > digits),
            (false, Some(digits)) => column.is_time() && iso::digits_of_a_second(text) > digits,
            _ => false,
        },
        ..USUAL
    },
    Difference {
        name: "a zone other than UTC for a timestamp without one: the server drops it",
        codes: &["zone_unexpected"],
        applies: |text, column| {
            column.is("timestamp") && iso::zone(text).is_some_and(|zone| !iso::is_utc(zone))
        },
        ..USUAL
    },
    Difference {
        name: "a point in time without its zone: the server takes the session's",
        codes: &["zone_missing"],
        applies: |text, column| column.is("timestamptz") && iso::zone(text).is_none() && iso::is_moment(text),
        ..USUAL
    },
    Difference {
        name: "words that depend on when they are read",
        codes: &["not_a_date", "not_a_time", "not_a_timestamp"],
        applies: |text, column| {
            let words = ["now", "today", "tomorrow", "yesterday", "allballs", "epoch"];
            column.is_time() && words.contains(&text.to_ascii_lowercase().as_str())
        },
        ..USUAL
    },
    Difference {
        name: "days and times in other forms than ISO 8601",
        codes: &["not_a_date", "not_a_time", "not_a_timestamp", "out_of_range"],
        applies: |text, column| match column.base.as_str() {
            "date" => !iso::is_day(text),
            "time" => !iso::is_time(text),
            "timestamp" | "timestamptz" => !iso::is_moment(text),
            _ => false,
        },
        // Some are what the server's own COPY writes.
        always: false,
        ..USUAL
    },
    Difference {
        name: "a second of 60: the server turns it into the next minute",
        codes: &["out_of_range"],
        applies: |text, column| column.is_time() && iso::has_second_60(text),
        ..USUAL
    },
    Difference {
        name: "characters that are not ASCII for bytea: their bytes depend on the database's encoding",
        codes: &["not_hex"],
        applies: |text, column| column.is("bytea") && !text.is_ascii(),
        ..USUAL
    },
    Difference {
        name: "more bytes than the type holds: the server drops them",
        codes: &["too_long"],
        applies: |text, column| match column.base.as_str() {
            "name" => text.len() > 63,
            "char" => text.len() > 1 && !column.reads_code(text),
            _ => false,
        },
        ..USUAL
    },
    Difference {
        name: "the same in an array",
        codes: &["too_long"],
        applies: |text, column| {
            let most = |least: usize| text.split(['{', '}', ',']).any(|part| part.len() > least);
            match column.element.as_str() {
                "name" => most(63),
                "char" => most(1),
                _ => false,
            }
        },
        always: false,
        ..USUAL
    },
    Difference {
        name: "nothing, which the server reads as zero: no value is written so",
        codes: &["empty"],
        applies: |text, column| {
            text.is_empty() && ["money", "xid", "cid", "xid8"].contains(&column.base.as_str())
        },
        always: false,
        ..USUAL
    },
    Difference {
        name: "a blank within a number",
        codes: &["not_a_decimal"],
        applies: |text, column| column.is("numeric") && text.contains(' '),
        until: Some(15),
        ..USUAL
    },
];

impl Column {
    fn of(kind: &Type, version: u32) -> Self {
        let name = |shape: &Shape| match below(shape) {
            Shape::Base(name) => name.clone(),
            _ => String::new(),
        };
        let base = name(&kind.shape);
        let element = match below(&kind.shape) {
            Shape::Array(element) => name(element),
            _ => String::new(),
        };
        let digits = match (kind.sql.as_str(), base.as_str()) {
            ("price", _) => Some(2),
            ("days", _) => Some(0),
            ("information_schema.time_stamp", _) => Some(2),
            (sql, "numeric") => sql.split([',', ')']).nth(1).and_then(|scale| scale.parse().ok()),
            (sql, _) => {
                Some(sql.split(['(', ')']).nth(1).and_then(|digits| digits.parse().ok()).unwrap_or(6))
            }
        };
        Self { base, element, digits, version }
    }

    /// What is looked at of a text.
    fn text(&self, text: &str) -> String {
        match self.base.as_str() {
            "bytea" => text.trim().to_owned(),
            "name" | "char" => text.to_owned(),
            _ if self.element.is_empty() => iso::plain(text),
            _ => text.to_owned(),
        }
    }

    /// Whether the server takes it for the code of a "char", and drops nothing of that.
    fn reads_code(&self, text: &str) -> bool {
        let digits = text.strip_prefix('\\').unwrap_or_default();
        self.version >= 15 && digits.len() == 3 && u8::from_str_radix(digits, 8).is_ok()
    }

    fn is(&self, base: &str) -> bool {
        self.base == base
    }

    fn is_time(&self) -> bool {
        matches!(self.base.as_str(), "date" | "time" | "timestamp" | "timestamptz")
    }
}

fn below(shape: &Shape) -> &Shape {
    match shape {
        Shape::Domain(base) => below(base),
        shape => shape,
    }
}

impl Difference {
    fn is_of(&self, version: u32) -> bool {
        self.until.is_none_or(|until| version <= until)
    }
}

/// The entry that allows a reject for this reason.
pub(crate) fn allows(kind: &Type, text: &str, reason: &str, version: u32) -> Option<&'static str> {
    let column = Column::of(kind, version);
    let text = column.text(text);
    let is_for = |code: &&str| reason.ends_with(&format!("({code})"));
    let found = DIFFERENCES.iter().find(|difference| {
        difference.is_of(version)
            && difference.codes.iter().any(is_for)
            && (difference.applies)(&text, &column)
    });
    found.map(|difference| difference.name)
}

/// The entry that demands a reject.
pub(crate) fn demands(kind: &Type, text: &str, version: u32) -> Option<&'static str> {
    let column = Column::of(kind, version);
    let text = column.text(text);
    let found = DIFFERENCES.iter().find(|difference| {
        difference.always && difference.is_of(version) && (difference.applies)(&text, &column)
    });
    found.map(|difference| difference.name)
}

/// The names of the entries that every run must meet. Those that are met by few texts only, it may miss.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let certain = DIFFERENCES.iter().filter(|difference| difference.always && difference.until.is_none());
    certain.map(|difference| difference.name)
}
