//! Arrays, ranges and rows, made of their parts' texts.

use super::part;
use crate::random::Random;
use crate::types::Shape;

/// `{a,"b c",NULL}`, now and then nested or with bounds.
pub(super) fn array(element: &Shape, random: &mut Random) -> String {
    match random.below(12) {
        0 => "{}".to_owned(),
        1 => format!("{{{},{}}}", inner(element, random, 1), inner(element, random, 1)),
        2 => format!("[0:1]={}", inner(element, random, 2)),
        3 => format!(" {} ", inner(element, random, 1)),
        // What is not an array, a part that is missing, a bound that is wrong, the old form with a comma too many.
        4 => part(element, random),
        5 => format!("{{{}", part(element, random)),
        6 => format!("[2:5]={}", inner(element, random, 2)),
        7 => format!("{{{},}}", part(element, random)),
        _ => {
            let parts = 1 + random.below(3);
            inner(element, random, parts)
        }
    }
}

fn inner(element: &Shape, random: &mut Random, parts: usize) -> String {
    let delimiter = if matches!(element, Shape::Base(name) if name == "box") { ";" } else { "," };
    let parts: Vec<_> = (0..parts).map(|_| array_part(element, random)).collect();
    format!("{{{}}}", parts.join(delimiter))
}

fn array_part(element: &Shape, random: &mut Random) -> String {
    if random.percent(8) {
        return (*random.pick(&["NULL", "null", "\"NULL\""])).to_owned();
    }
    let text = part(element, random);
    let needs = text.is_empty()
        || text.eq_ignore_ascii_case("null")
        || text.contains(|character: char| {
            matches!(character, '{' | '}' | ',' | ';' | '"' | '\\') || character.is_ascii_whitespace()
        });
    if needs && !random.percent(5) || random.percent(10) { escaped(&text) } else { text }
}

/// `[a,b)`, `empty`, `(,b]`.
pub(super) fn range(bound: &Shape, random: &mut Random) -> String {
    if random.percent(10) {
        return (*random.pick(&["empty", "EMPTY", "(,)", "[,]", "[,)", " empty ", "emptyish", "[", "(,"]))
            .to_owned();
    }
    let open = *random.pick(&["[", "("]);
    let close = *random.pick(&["]", ")"]);
    let mut bounds: Vec<_> = (0..2).map(|_| range_bound(bound, random)).collect();
    // As texts are sorted: right for most of the same length.
    if random.percent(70) {
        bounds.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    }
    format!("{open}{}{close}", bounds.join(","))
}

fn range_bound(bound: &Shape, random: &mut Random) -> String {
    if random.percent(10) {
        return String::new();
    }
    let text = part(bound, random);
    let needs = text.is_empty() || text.contains(['(', ')', '[', ']', ',', '"', '\\']);
    if needs || random.percent(20) { escaped(&text) } else { text }
}

/// `{[a,b),(c,d]}`.
pub(super) fn multirange(bound: &Shape, random: &mut Random) -> String {
    let ranges: Vec<_> = (0..random.below(4)).map(|_| range(bound, random)).collect();
    format!("{{{}}}", ranges.join(","))
}

/// `(a,"b c",)`.
pub(super) fn composite(fields: &[Shape], random: &mut Random) -> String {
    let mut parts: Vec<_> = fields.iter().map(|field| composite_part(field, random)).collect();
    if random.percent(3) {
        parts.push(String::new());
    }
    format!("({})", parts.join(","))
}

fn composite_part(field: &Shape, random: &mut Random) -> String {
    if random.percent(12) {
        return String::new();
    }
    let text = part(field, random);
    let needs = text.is_empty()
        || text.contains(|character: char| {
            matches!(character, '(' | ')' | ',' | '"' | '\\') || character.is_ascii_whitespace()
        });
    if needs || random.percent(10) { escaped(&text) } else { text }
}

fn escaped(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
