//! Reads a text by the items of a form, one item at a time. The parser of `chrono` takes as many digits as there are, so that
//! `2024111` would be a day by `%Y%m%d`. Here a number beside another number must have all of its digits.

use chrono::format::{Item, Numeric, Pad, Parsed, parse_and_remainder};

/// Reads the text's beginning by these items; what follows it. `None` where the text is not of this form.
pub(super) fn read<'t>(parsed: &mut Parsed, text: &'t str, items: &[Item<'static>]) -> Option<&'t str> {
    let mut rest = text;
    for (index, item) in items.iter().enumerate() {
        let behind = parse_and_remainder(parsed, rest, std::iter::once(item)).ok()?;
        let part = rest.get(..rest.len().checked_sub(behind.len())?)?;
        if let Item::Numeric(number, pad) = item {
            let before = text.get(..text.len() - rest.len())?;
            let stands_alone = !is_beside_number(items, index) && !touches_digits(before, part, behind);
            if !is_whole(number, *pad, part, stands_alone) {
                return None;
            }
        }
        rest = behind;
    }
    Some(rest)
}

/// Whether the form has another number directly before or behind this one.
fn is_beside_number(items: &[Item<'static>], index: usize) -> bool {
    let is_number = |index: Option<usize>| {
        index.and_then(|index| items.get(index)).is_some_and(|item| matches!(item, Item::Numeric(..)))
    };
    is_number(index.checked_sub(1)) || is_number(index.checked_add(1))
}

/// Whether the text has digits directly before or behind this number. A space in a form may be missing in the text.
fn touches_digits(before: &str, part: &str, behind: &str) -> bool {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    is_digit(behind.as_bytes().first())
        || (is_digit(part.as_bytes().first()) && is_digit(before.as_bytes().last()))
}

/// Whether no digit of the number is missing. Months, days and times that stand alone need no zero in front; years do,
/// because `24` for `%Y` would be a year of antiquity.
fn is_whole(number: &Numeric, pad: Pad, part: &str, stands_alone: bool) -> bool {
    let Some(width) = width(number) else { return true };
    let digits = part.trim_start().trim_start_matches(['+', '-']);
    if stands_alone {
        return !is_year(number) || digits.len() >= width;
    }
    let padded = if pad == Pad::Space { part.trim_start_matches(' ') } else { part };
    part.len() == width && padded.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_year(number: &Numeric) -> bool {
    use Numeric::{IsoYear, IsoYearDiv100, IsoYearMod100, Year, YearDiv100, YearMod100};
    matches!(number, Year | IsoYear | YearDiv100 | IsoYearDiv100 | YearMod100 | IsoYearMod100)
}

/// How many digits the number has with its zeros; `None` where that is not fixed.
fn width(number: &Numeric) -> Option<usize> {
    match number {
        Numeric::Year | Numeric::IsoYear => Some(4),
        Numeric::Ordinal => Some(3),
        Numeric::Quarter | Numeric::NumDaysFromSun | Numeric::WeekdayFromMon => Some(1),
        Numeric::Nanosecond => Some(9),
        Numeric::Timestamp => None,
        _ => Some(2),
    }
}
