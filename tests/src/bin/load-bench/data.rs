//! The files that are loaded: eight mixed columns, made from a seed, so that every machine loads the same rows. A row depends
//! on nothing but its number, so that two files of one kind of key have the same keys.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, TimeDelta};
use tempfile::TempDir;
use uuid::Uuid;

const SEED: u64 = 0x0BA7_0000;
const HEADER: &str = "id,name,quantity,price,born,active,seen,note";
/// Of so many rows, one is bad where bad rows are asked for.
const BAD_ONE_IN: u64 = 100;

const FAMILY_NAMES: [&str; 8] = ["佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村"];
const GIVEN_NAMES: [&str; 8] = ["太郎", "花子", "健一", "美咲", "翔太", "さくら", "大輔", "ユキ"];
const WORDS: [&str; 8] = ["delivered", "late", "paid", "in cash", "call back", "twice", "moved", "again"];

/// What the key of a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Keys {
    /// A random UUID.
    Random,
    /// A UUID that begins with the time, version 7.
    InOrder,
    /// 1, 2, 3, …
    Numbers,
}

/// Which rows a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Content {
    /// All, and all are good.
    Whole,
    /// All, and one in a hundred does not fit its table.
    WithBadRows,
    /// What is left of `WithBadRows` without the bad ones.
    WithoutBadRows,
    /// Every other row, with other values: what was in the table before.
    EarlierHalf,
}

/// How to make a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Recipe {
    pub(crate) keys: Keys,
    pub(crate) content: Content,
    pub(crate) rows: u64,
}

/// A file that was made.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    /// How many of its rows fit the table.
    pub(crate) good: u64,
}

/// The folder of the files; it is gone when this is.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("there is room for a folder"))
    }

    /// The folder, for what a contender needs besides.
    pub(crate) fn dir(&self) -> &std::path::Path {
        self.0.path()
    }

    /// The file of a recipe, made when it is asked for first.
    pub(crate) fn get(&self, recipe: Recipe) -> File {
        let Recipe { keys, content, rows } = recipe;
        let path = self.0.path().join(format!("{keys:?}-{content:?}-{rows}.csv"));
        if !path.is_file() {
            crate::said::tell(&format!("making {keys:?} {content:?}, {rows} rows"));
            write(&path, recipe).expect("there is room for a file");
        }
        let bytes = path.metadata().expect("the file has been made").len();
        let good = (0..rows).filter(|&number| content.has(number) && !content.spoils(number)).count();
        File { path, bytes, good: good as u64 }
    }
}

impl Content {
    fn has(self, number: u64) -> bool {
        match self {
            Self::Whole | Self::WithBadRows => true,
            Self::WithoutBadRows => !is_bad(number),
            Self::EarlierHalf => number.is_multiple_of(2),
        }
    }

    fn spoils(self, number: u64) -> bool {
        self == Self::WithBadRows && is_bad(number)
    }
}

/// Not the first of each hundred, so that bad rows are not met where something else begins too.
fn is_bad(number: u64) -> bool {
    number % BAD_ONE_IN == 37
}

fn write(path: &std::path::Path, recipe: Recipe) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, std::fs::File::create(path)?);
    writeln!(out, "{HEADER}")?;
    for number in (0..recipe.rows).filter(|&number| recipe.content.has(number)) {
        let mut chance = Chance(SEED ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        write_key(&mut out, recipe.keys, number, &mut chance)?;
        if recipe.content == Content::EarlierHalf {
            writeln!(out, ",\"earlier\",0,0.00,2000-01-01,false,2000-01-01 00:00:00.001,")?;
        } else {
            write_values(&mut out, number, recipe.content.spoils(number), &mut chance)?;
        }
    }
    // Both contenders read a file that is on the disk and in the page cache.
    out.into_inner()?.sync_all()
}

fn write_key(out: &mut impl Write, keys: Keys, number: u64, chance: &mut Chance) -> io::Result<()> {
    let random = (u128::from(chance.next()) << 64 | u128::from(chance.next())).to_be_bytes();
    match keys {
        Keys::Random => write!(out, "{}", uuid::Builder::from_random_bytes(random).into_uuid()),
        Keys::InOrder => write!(out, "{}", in_order(number, random)),
        Keys::Numbers => write!(out, "{}", number + 1),
    }
}

/// One UUID a millisecond.
fn in_order(number: u64, random: [u8; 16]) -> Uuid {
    let millis = 1_700_000_000_000 + number;
    let mut rest = [0; 10];
    rest.copy_from_slice(&random[..10]);
    uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
}

fn write_values(out: &mut impl Write, number: u64, spoil: bool, chance: &mut Chance) -> io::Result<()> {
    // Which of the columns is the bad one.
    let bad = if spoil { number / BAD_ONE_IN % 4 } else { u64::MAX };
    let (family, given) = (chance.pick(&FAMILY_NAMES), chance.pick(&GIVEN_NAMES));
    // A comma or a quote now and then: what a name is quoted for.
    match chance.below(10) {
        0 => write!(out, ",\"{family} \"\"{given}\"\" {}\"", chance.below(10_000))?,
        1 | 2 => write!(out, ",\"{family}, {given}\"")?,
        _ => write!(out, ",\"{family} {given}\"")?,
    }
    match bad {
        0 => write!(out, ",many")?,
        _ => write!(out, ",{}", chance.below(100_000))?,
    }
    match bad {
        1 => write!(out, ",1.234")?,
        _ => write!(out, ",{}.{:02}", chance.below(10_000_000), chance.below(100))?,
    }
    match bad {
        2 => write!(out, ",2023-02-29")?,
        _ => write!(out, ",{}", day(chance.below(25_000)))?,
    }
    match bad {
        3 => write!(out, ",perhaps")?,
        _ => write!(out, ",{}", chance.below(2) == 0)?,
    }
    let seen =
        DateTime::from_timestamp(1_600_000_000 + chance.below(100_000_000) as i64, 0).unwrap_or_default();
    write!(out, ",{}.{:03},", seen.format("%Y-%m-%d %H:%M:%S"), 1 + chance.below(999))?;
    // Three in ten have none.
    for word in 0..chance.below(10).saturating_sub(2) {
        let space = if word == 0 { "" } else { " " };
        write!(out, "{space}{}", chance.pick(&WORDS))?;
    }
    writeln!(out)
}

fn day(number: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(1940, 1, 1).unwrap_or_default() + TimeDelta::days(number as i64)
}

/// Numbers that look random and are the same everywhere: `SplitMix64`.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn pick<'a>(&mut self, from: &[&'a str; 8]) -> &'a str {
        from[self.below(8) as usize]
    }
}
