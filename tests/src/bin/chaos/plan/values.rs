//! The values of a record: for each column what the file says, and what the database has of it once it is imported. Each is drawn
//! together with its other side, so that the audit needs neither Baton's reading of a file nor the database's.

use chrono::DateTime;
use fastrand::Rng;

use crate::backend::Rows;

/// A value on both sides. `None` is an empty field, and NULL.
pub(crate) struct Cell {
    pub(crate) file: Option<String>,
    pub(crate) stored: Option<String>,
}

/// A value as a file has it, and as each database gives it back by [`Column::read`].
struct Drawn {
    file: String,
    postgres: String,
    sqlite: String,
}

/// A column of every table that imports go to.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    postgres: &'static str,
    sqlite: Option<&'static str>,
    /// The column's text in a SELECT of PostgreSQL, and of SQLite.
    read: [&'static str; 2],
    draw: fn(&mut Rng) -> Drawn,
    /// What the file says in a record that the database or the worker refuses.
    flaw: Option<&'static str>,
    /// What makes another value of it.
    pub(crate) change: &'static str,
}

/// SQLite has neither domains nor arrays; there a check stands for the domain.
const COLUMNS: [Column; 9] = [
    Column {
        name: "amount",
        postgres: "numeric(12,2)",
        sqlite: Some("DECIMAL(12,2)"),
        read: ["amount::text", "CAST(amount AS TEXT)"],
        draw: amount,
        flaw: Some("1O0"),
        change: "coalesce(amount, 0) + 1",
    },
    Column {
        name: "day",
        postgres: "date",
        sqlite: Some("DATE"),
        read: ["day::text", "day"],
        draw: day,
        flaw: Some("2024-02-30"),
        change: "date('2026-11-28')",
    },
    Column {
        name: "at",
        postgres: "timestamptz",
        sqlite: Some("TIMESTAMPTZ"),
        read: ["to_char(\"at\" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')", "\"at\""],
        draw: at,
        flaw: None,
        change: "NULL",
    },
    Column {
        name: "note",
        postgres: "text",
        sqlite: Some("TEXT"),
        read: ["note", "note"],
        draw: note,
        flaw: None,
        change: "coalesce(note, '') || ' '",
    },
    Column {
        name: "raw",
        postgres: "bytea",
        sqlite: Some("BLOB"),
        read: ["encode(raw, 'hex')", "CASE WHEN raw IS NOT NULL THEN lower(hex(raw)) END"],
        draw: raw,
        flaw: None,
        change: "NULL",
    },
    Column {
        name: "level",
        postgres: "level",
        sqlite: Some("INTEGER CHECK (level > 0)"),
        read: ["level::text", "CAST(level AS TEXT)"],
        draw: level,
        flaw: Some("0"),
        change: "level + 1",
    },
    Column {
        name: "tags",
        postgres: "varchar(5)[]",
        sqlite: None,
        read: ["tags::text", ""],
        draw: tags,
        flaw: Some("{abcdef}"),
        change: "tags || 'x'::varchar",
    },
    Column {
        name: "mask",
        postgres: "bit(4)",
        sqlite: None,
        read: ["mask::text", ""],
        draw: mask,
        flaw: Some("101"),
        change: "~mask",
    },
    Column {
        name: "address",
        postgres: "inet",
        sqlite: None,
        read: ["nullif(concat(address), '')", ""],
        draw: address,
        flaw: Some("10.0.0.300"),
        change: "'192.0.2.1'",
    },
];

/// The columns that a database has.
pub(crate) fn columns(backend: Rows) -> impl Iterator<Item = &'static Column> {
    COLUMNS.iter().filter(move |column| backend == Rows::Postgres || column.sqlite.is_some())
}

impl Column {
    /// Its part of a CREATE TABLE.
    pub(crate) fn definition(&self, backend: Rows) -> String {
        let declared =
            if backend == Rows::Postgres { self.postgres } else { self.sqlite.unwrap_or_default() };
        format!("\"{}\" {declared}", self.name)
    }

    /// Its text, in a SELECT.
    pub(crate) fn read(&self, backend: Rows) -> &'static str {
        self.read[usize::from(backend == Rows::Sqlite)]
    }
}

/// The cells of a record, drawn anew and always the same from the same seed. A record with a flaw has one in one column.
pub(crate) fn cells(seed: u64, has_flaw: bool, backend: Rows) -> Vec<Cell> {
    let mut random = Rng::with_seed(seed);
    let mut cells: Vec<Cell> = columns(backend)
        .map(|column| {
            let is_null = random.u8(0..8) == 0 && column.name != "level";
            let drawn = (column.draw)(&mut random);
            let stored = if backend == Rows::Postgres { drawn.postgres } else { drawn.sqlite };
            if is_null {
                Cell { file: None, stored: None }
            } else {
                Cell { file: Some(drawn.file), stored: Some(stored) }
            }
        })
        .collect();
    if has_flaw {
        let flaws: Vec<_> = columns(backend)
            .enumerate()
            .filter_map(|(number, column)| Some((number, column.flaw?)))
            .collect();
        let (number, flaw) = flaws[random.usize(0..flaws.len())];
        cells[number].file = Some(flaw.to_owned());
    }
    cells
}

/// The same on every side.
fn same(text: String) -> Drawn {
    Drawn { file: text.clone(), postgres: text.clone(), sqlite: text }
}

fn amount(random: &mut Rng) -> Drawn {
    let (sign, whole, cents) =
        (["", "-"][random.usize(0..2)], random.u32(0..100_000_000), random.u32(0..100));
    let sign = if (whole, cents) == (0, 0) { "" } else { sign };
    let postgres = format!("{sign}{whole}.{cents:02}");
    let sqlite = postgres.trim_end_matches('0').trim_end_matches('.').to_owned();
    let file = match random.u8(0..4) {
        // Digits of full width are digits.
        0 => sqlite.chars().map(|sign| if sign.is_ascii_digit() { wide(sign) } else { sign }).collect(),
        1 => sqlite.clone(),
        _ => postgres.clone(),
    };
    Drawn { file, postgres, sqlite }
}

fn wide(digit: char) -> char {
    char::from_u32(u32::from(digit) - u32::from('0') + u32::from('０')).unwrap_or(digit)
}

fn day(random: &mut Rng) -> Drawn {
    let second = random.i64(-2_000_000_000..4_000_000_000);
    same(DateTime::from_timestamp(second, 0).unwrap_or_default().format("%Y-%m-%d").to_string())
}

fn at(random: &mut Rng) -> Drawn {
    let milliseconds = random.i64(-2_000_000_000_000..4_000_000_000_000);
    let milliseconds = if random.bool() { milliseconds / 1_000 * 1_000 } else { milliseconds };
    let at = DateTime::from_timestamp_millis(milliseconds).unwrap_or_default();
    let file = if random.bool() {
        at.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string()
    } else {
        let tokyo = chrono::FixedOffset::east_opt(9 * 3_600).expect("it is less than a day");
        at.with_timezone(&tokyo).format("%Y-%m-%d %H:%M:%S%.f%:z").to_string()
    };
    Drawn {
        file,
        postgres: at.format("%Y-%m-%d %H:%M:%S%.6f").to_string(),
        sqlite: at.format("%Y-%m-%d %H:%M:%S%.f+00:00").to_string(),
    }
}

/// Texts that a reader, a COPY or a spreadsheet could take for something else.
fn note(random: &mut Rng) -> Drawn {
    const TEXTS: [&str; 16] = [
        "plain",
        "東京都 ｶﾅ　ｆｕｌｌ",
        "He said \"no\", twice",
        "two\nlines",
        "two\r\nlines, with a \"quote\"",
        "  blanks around  ",
        "\\N",
        "\\.",
        "back\\slash\\",
        "a\ttab",
        "NULL",
        "007",
        "1e5",
        "=SUM(A1:A9)",
        "e\u{301} 👩‍👩‍👧",
        "'; DROP TABLE chaos; --",
    ];
    let text = TEXTS[random.usize(0..TEXTS.len())];
    same(if random.bool() { format!("{text}{}", random.u32(..)) } else { text.to_owned() })
}

fn raw(random: &mut Rng) -> Drawn {
    let bytes: Vec<u8> = (0..random.usize(0..12)).map(|_| random.u8(..)).collect();
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Drawn { file: format!("\\x{digits}"), postgres: digits.clone(), sqlite: digits }
}

fn level(random: &mut Rng) -> Drawn {
    same(random.u32(1..1_000).to_string())
}

/// An array as PostgreSQL writes it.
fn tags(random: &mut Rng) -> Drawn {
    const TAGS: [&str; 10] = [
        "a",
        "ccccc",
        "東京都港区",
        "\"x y\"",
        "\"x,y\"",
        "NULL",
        "\"NULL\"",
        "\"\"",
        "\"q\\\"q\"",
        "\"b\\\\s\"",
    ];
    let tags: Vec<_> = (0..random.usize(0..4)).map(|_| TAGS[random.usize(0..TAGS.len())]).collect();
    let stored = format!("{{{}}}", tags.join(","));
    let file = if random.bool() { stored.clone() } else { format!("{{{}}}", tags.join(" , ")) };
    Drawn { file, postgres: stored.clone(), sqlite: stored }
}

fn mask(random: &mut Rng) -> Drawn {
    same(format!("{:04b}", random.u8(0..16)))
}

fn address(random: &mut Rng) -> Drawn {
    let byte = random.u8(..);
    same(match random.u8(0..3) {
        0 => format!("10.0.0.{byte}"),
        1 => format!("10.{byte}.0.0/16"),
        _ => format!("2001:db8::{:x}", u16::from(byte) + 1),
    })
}
