//! Texts for every type: mostly values of it, many at its borders, some that are none.

mod network;
mod numbers;
mod searches;
mod shapes;
mod texts;
mod times;

use crate::random::Random;
use crate::types::Shape;

/// Texts that nearly no type takes, and those that other types take.
const STRANGE: &[&str] = &[
    "",
    " ",
    "\t",
    "\u{3000}",
    "abc",
    "NULL",
    "null",
    "\\N",
    "\\.",
    "'",
    "\"",
    "\\",
    "1",
    "0",
    "-1",
    "NaN",
    "t",
    "{}",
    "{NULL}",
    "()",
    "(,)",
    "[1,2)",
    "empty",
    "2024-01-01",
    "12:00",
    "1.5",
    "東京",
    "é",
    "x\0y",
    "\u{FEFF}1",
    "a\nb",
    "a\r\nb",
    "\u{1F600}",
    "connection refused",
    "no connection to the server",
    "out of memory",
    "could not connect",
    "permission denied",
    "deadlock detected",
];

/// What is put into a text at a random place.
const BITS: &[&str] = &[
    " ",
    "\t",
    "\n",
    "\r",
    "\u{A0}",
    "\u{3000}",
    ",",
    ";",
    "'",
    "\"",
    "\\",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "-",
    "+",
    ".",
    "0",
    "1",
    "9",
    "e",
    "x",
    "_",
    ":",
    "/",
    "é",
    "東",
    "\u{1F600}",
    "\u{301}",
    "\0",
    "%",
    "$",
    "N",
    "|",
    "１",
];

/// A text for a column of this shape.
pub(crate) fn text(shape: &Shape, random: &mut Random) -> String {
    match random.below(20) {
        0 => (*random.pick(STRANGE)).to_owned(),
        1..6 => {
            let plain = plain(shape, random);
            mutated(&plain, random)
        }
        _ => plain(shape, random),
    }
}

/// A text as the type's own rules would have it, or nearly so.
fn plain(shape: &Shape, random: &mut Random) -> String {
    match shape {
        Shape::Base(name) => base(name, 50, random),
        Shape::Enum(labels) => random.pick(labels).clone(),
        Shape::Domain(below) => plain(below, random),
        Shape::Array(element) => shapes::array(element, random),
        Shape::Range(bound) => shapes::range(bound, random),
        Shape::Multirange(bound) => shapes::multirange(bound, random),
        Shape::Composite(fields) => shapes::composite(fields, random),
    }
}

/// A text for a part of another one. What depends on the clock is not for these.
fn part(shape: &Shape, random: &mut Random) -> String {
    for _ in 0..4 {
        let part = match shape {
            _ if random.percent(6) => text(shape, random),
            // Most parts must be good, or nothing that is made of them ever is.
            Shape::Base(name) => base(name, 80, random),
            shape => plain(shape, random),
        };
        let depends = ["now", "today", "tomorrow", "yesterday"];
        if !depends.iter().any(|word| part.to_ascii_lowercase().contains(word)) {
            return part;
        }
    }
    String::new()
}

fn base(name: &str, made: usize, random: &mut Random) -> String {
    if random.percent(made)
        && let Some(made) = numbers::made(name, random)
            .or_else(|| times::made(name, random))
            .or_else(|| texts::made(name, random))
            .or_else(|| network::made(name, random))
    {
        return made;
    }
    let lists = [numbers::list, times::list, texts::list, network::list, searches::list];
    let list = lists.iter().find_map(|list| list(name)).unwrap_or(STRANGE);
    (*random.pick(list)).to_owned()
}

/// The text with one or two small changes, as people and programs make them.
pub(crate) fn mutated(text: &str, random: &mut Random) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(2) {
        let at = random.below(characters.len() + 1);
        match random.below(9) {
            0 => characters.splice(at..at, random.pick(BITS).chars()).for_each(drop),
            1 => drop((at < characters.len()).then(|| characters.remove(at))),
            2 => characters.truncate(at),
            3 => drop((at < characters.len()).then(|| characters.insert(at, characters[at]))),
            4 => characters = characters.iter().flat_map(|character| character.to_uppercase()).collect(),
            5 => characters.splice(0..0, random.pick(BITS).chars()).for_each(drop),
            6 => characters.extend(random.pick(BITS).chars()),
            7 => characters.iter_mut().for_each(|character| *character = full_width(*character)),
            _ => {
                if let Some(character) = characters.get_mut(at).filter(|character| character.is_ascii_digit())
                {
                    *character = char::from(b'0' + random.below(10) as u8);
                }
            }
        }
    }
    characters.into_iter().collect()
}

/// A digit or a sign of numbers as Japanese programs write it.
fn full_width(character: char) -> char {
    match character {
        '0'..='9' | '-' | '+' | '.' | '/' | ':' => {
            char::from_u32(u32::from(character) - 0x20 + 0xFF00).unwrap_or(character)
        }
        other => other,
    }
}
