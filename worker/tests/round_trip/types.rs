//! Every type that a column of a server can have: what `pg_type` lists, what is made here of domains, enums and rows, types
//! with modifiers, and arrays of all of them.

use std::collections::BTreeMap;

use crate::server::Server;

/// How texts of a type are built.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// By the name in `pg_type`.
    Base(String),
    Enum(Vec<String>),
    Array(Box<Shape>),
    Domain(Box<Shape>),
    Range(Box<Shape>),
    Multirange(Box<Shape>),
    Composite(Vec<Shape>),
}

/// How Baton documents that it reads a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// To the letter, white space included.
    Text,
    /// A label, with its white space or else without.
    Label,
    /// Without white space around it, with full-width digits too.
    Digits,
    /// Without white space around it.
    Trimmed,
    /// As it stands, for the text is kept; but white space only is NULL.
    Json,
    /// As it stands: only the server reads it.
    Server,
}

/// A type of a column.
#[derive(Clone, Debug)]
pub(crate) struct Type {
    /// As a definition has it.
    pub(crate) sql: String,
    pub(crate) shape: Shape,
    pub(crate) family: Family,
    /// NULL is not a value of it, so that no other column can stand beside it.
    pub(crate) alone: bool,
}

impl Type {
    /// Whether Baton writes it in COPY's binary form where no other column prevents that.
    pub(crate) fn is_binary(&self) -> bool {
        self.family != Family::Server
    }

    /// The condition under which two columns of the type have the same value, to the last bit.
    pub(crate) fn same(&self, a: &str, b: &str) -> String {
        let same = format!("record_image_eq(ROW({a}), ROW({b}))");
        if !has_nan(&self.shape) {
            return same;
        }
        // Not a number has a sign, which nobody ever sees.
        format!("({same} OR (format('%s', {a}) = format('%s', {b}) AND format('%s', {a}) LIKE '%NaN%'))")
    }
}

/// Types that differ from those of `pg_type`.
const MADE: &str = "
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'very happy', 'Ünlü', '');
CREATE DOMAIN short AS varchar(3);
CREATE DOMAIN shorter AS short CHECK (VALUE <> 'bad');
CREATE DOMAIN posint AS int CHECK (VALUE > 0);
CREATE DOMAIN must AS int NOT NULL;
CREATE DOMAIN price AS numeric(5,2) CHECK (VALUE >= 0);
CREATE DOMAIN flags AS bit(4);
CREATE DOMAIN feeling AS mood CHECK (VALUE <> 'ok');
CREATE DOMAIN tags AS varchar(3)[];
CREATE DOMAIN pair AS int[] CHECK (cardinality(VALUE) = 2);
CREATE DOMAIN days AS timestamp(0);
CREATE DOMAIN host AS inet CHECK (masklen(VALUE) = 32);
CREATE DOMAIN doc AS jsonb CHECK (jsonb_typeof(VALUE) = 'object');
CREATE TYPE point3 AS (x int, label varchar(3), flags bit(4), price numeric(5,2), at timestamp(0));
CREATE TYPE holder AS (one posint, many short[], inner_row point3, felt mood);
CREATE DOMAIN placed AS point3 CHECK ((VALUE).x > 0);
CREATE TYPE short_range AS RANGE (subtype = short);
CREATE TYPE float_range AS RANGE (subtype = float8, subtype_diff = float8mi);
";

/// Types with modifiers.
const MODIFIED: &[&str] = &[
    "varchar(3)",
    "char(3)",
    "bit(4)",
    "varbit(4)",
    "numeric(5,2)",
    "numeric(3,-2)",
    "numeric(3,5)",
    "timestamp(0)",
    "timestamptz(3)",
    "time(3)",
    "timetz(0)",
    "interval(0)",
    "interval day to second",
    "interval year to month",
    "interval second(2)",
];

/// Extensions, where they are there.
const EXTENSIONS: &[&str] = &["citext", "hstore", "ltree", "cube", "seg", "isn", "intarray", "vector"];

/// Every type, with what is needed to build texts for it.
const LIST: &str = "
SELECT t.oid, t.typname, t.typtype, pg_catalog.format_type(t.oid, NULL), t.typelem, t.typinput = 'array_in'::regproc, t.typbasetype,
       coalesce(r.rngsubtype, m.rngsubtype),
       array_to_json(ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder)),
       array_to_json(ARRAY(SELECT a.atttypid::text FROM pg_attribute a
                           WHERE a.attrelid = t.typrelid AND a.attnum > 0 ORDER BY a.attnum)),
       t.typtype <> 'p' AND (c.relkind IS NULL OR c.relkind = 'c') AND t.typisdefined
FROM pg_type t LEFT JOIN pg_range r ON r.rngtypid = t.oid LEFT JOIN pg_range m ON m.rngmultitypid = t.oid
LEFT JOIN pg_class c ON c.oid = t.typrelid
LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typinput = 'array_in'::regproc LEFT JOIN pg_class ec ON ec.oid = e.typrelid
WHERE (ec.relkind IS NULL OR ec.relkind = 'c') AND coalesce(e.typtype, 'b') <> 'p' ORDER BY t.oid";

struct Entry {
    name: String,
    kind: char,
    sql: String,
    element: u32,
    is_array: bool,
    base: u32,
    bound: u32,
    labels: Vec<String>,
    fields: Vec<u32>,
    is_usable: bool,
}

/// Makes the types of our own, and lists all.
pub(crate) fn all(server: &Server) -> Vec<Type> {
    for extension in EXTENSIONS {
        if !server
            .rows(&format!("SELECT 1 FROM pg_available_extensions WHERE name = '{extension}'"))
            .is_empty()
        {
            server.execute(&format!("CREATE EXTENSION {extension}"));
        }
    }
    server.execute(MADE);
    let entries: BTreeMap<u32, Entry> = server.rows(LIST).iter().map(|row| entry(row)).collect();
    let mut types: Vec<_> = entries
        .iter()
        .filter(|(_, entry)| entry.is_usable)
        .map(|(oid, entry)| of(&entries, *oid, &entry.sql))
        .collect();
    for sql in MODIFIED {
        for sql in [(*sql).to_owned(), format!("{sql}[]")] {
            let oid = server.text(&format!("SELECT '{sql}'::regtype::oid")).parse().unwrap();
            types.push(of(&entries, oid, &sql));
        }
    }
    types
}

fn entry(row: &[Option<String>]) -> (u32, Entry) {
    let text = |index: usize| row[index].clone().unwrap_or_default();
    let number = |index: usize| text(index).parse().unwrap_or(0);
    let numbers: Vec<String> = serde_json::from_str(&text(9)).unwrap();
    let entry = Entry {
        name: text(1),
        kind: text(2).chars().next().unwrap_or('b'),
        sql: text(3),
        element: number(4),
        is_array: text(5) == "t",
        base: number(6),
        bound: number(7),
        labels: serde_json::from_str(&text(8)).unwrap(),
        fields: numbers.iter().map(|number| number.parse().unwrap()).collect(),
        is_usable: text(10) == "t",
    };
    (number(0), entry)
}

fn of(entries: &BTreeMap<u32, Entry>, oid: u32, sql: &str) -> Type {
    let shape = shape(entries, oid);
    let alone = entries[&oid].name == "must";
    Type { sql: sql.to_owned(), family: family(&shape), shape, alone }
}

fn shape(entries: &BTreeMap<u32, Entry>, oid: u32) -> Shape {
    let entry = &entries[&oid];
    let below = |oid: u32| Box::new(shape(entries, oid));
    match entry.kind {
        'e' => Shape::Enum(entry.labels.clone()),
        'd' => Shape::Domain(below(entry.base)),
        'r' => Shape::Range(below(entry.bound)),
        'm' => Shape::Multirange(below(entry.bound)),
        'c' => Shape::Composite(entry.fields.iter().map(|field| shape(entries, *field)).collect()),
        _ if entry.is_array => Shape::Array(below(entry.element)),
        _ => Shape::Base(entry.name.clone()),
    }
}

fn has_nan(shape: &Shape) -> bool {
    match shape {
        Shape::Base(name) => {
            ["float4", "float8", "point", "line", "lseg", "box", "path", "polygon", "circle", "cube"]
                .contains(&name.as_str())
        }
        Shape::Enum(_) => false,
        Shape::Array(below) | Shape::Domain(below) | Shape::Range(below) | Shape::Multirange(below) => {
            has_nan(below)
        }
        Shape::Composite(fields) => fields.iter().any(has_nan),
    }
}

fn family(shape: &Shape) -> Family {
    match shape {
        Shape::Enum(_) => Family::Label,
        Shape::Domain(below) => family(below),
        Shape::Base(name) => match name.as_str() {
            "text" | "varchar" | "bpchar" | "citext" => Family::Text,
            "bool" | "int2" | "int4" | "int8" | "float4" | "float8" | "numeric" | "date" | "time"
            | "timestamp" | "timestamptz" => Family::Digits,
            "json" => Family::Json,
            "uuid" | "jsonb" | "bytea" => Family::Trimmed,
            _ => Family::Server,
        },
        _ => Family::Server,
    }
}
