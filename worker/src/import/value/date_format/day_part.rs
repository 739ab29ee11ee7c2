//! That part of a form which tells the day alone: a column without a time is written so beside one with a time. What stands
//! between the day and the time belongs to one of them, or only keeps them apart.

use chrono::format::{Fixed, Item, Numeric};

use super::tells_day;

/// The ways in which a day may be written alone, the longest first; none where the day cannot be told without the time.
pub(super) fn of(items: &[Item<'static>]) -> Vec<Vec<Item<'static>>> {
    let (Some(first), Some(last)) = (items.iter().position(is_of_time), items.iter().rposition(is_of_time))
    else {
        return vec![items.to_vec()];
    };
    let (before, _) = items.split_at_checked(first).unwrap_or_default();
    let behind = items.get(last + 1..).unwrap_or_default();
    if tells_day(before) {
        before_a_time(before)
    } else if tells_day(behind) {
        vec![behind_a_time(behind)]
    } else {
        Vec::new()
    }
}

/// Whether this tells something of a time of day, or of its zone.
pub(super) fn is_of_time(item: &Item<'_>) -> bool {
    use Numeric::{Hour, Hour12, Minute, Nanosecond, Second, Timestamp};
    match item {
        Item::Numeric(number, _) => {
            matches!(number, Hour | Hour12 | Minute | Second | Nanosecond | Timestamp)
        }
        Item::Fixed(fixed) => !matches!(
            fixed,
            Fixed::ShortMonthName | Fixed::LongMonthName | Fixed::ShortWeekdayName | Fixed::LongWeekdayName
        ),
        _ => false,
    }
}

/// The text that stands in the form as it is; `None` for what has a value.
pub(super) fn text<'i>(item: &'i Item<'_>) -> Option<&'i str> {
    match item {
        Item::Literal(text) | Item::Space(text) => Some(text),
        Item::OwnedLiteral(text) | Item::OwnedSpace(text) => Some(text),
        _ => None,
    }
}

/// A day with what stands before the time. What touches the day is part of it (`日`, `.`, `)`), but for the sign or the letters
/// that keep the two apart (`,` `T`). Words between blanks may be either's: `2024 г.` and `2024 um`.
fn before_a_time(before: &[Item<'static>]) -> Vec<Vec<Item<'static>>> {
    let end = before.iter().rposition(|item| text(item).is_none()).map_or(0, |last| last + 1);
    let (day, gap) = before.split_at_checked(end).unwrap_or_default();
    let gap: String = gap.iter().filter_map(text).collect();
    let (touching, apart) = gap.split_at(gap.find(char::is_whitespace).unwrap_or(gap.len()));
    let touching = without_separator(touching, apart.is_empty());
    let words: Vec<_> = apart.split_whitespace().collect();
    // The time's own words touch it: `kl.10:30`.
    let words = match apart.ends_with(char::is_whitespace) {
        true => &words[..],
        false => words.split_last().map_or(&[][..], |(_, before)| before),
    };
    let mut form = day.to_vec();
    if !touching.is_empty() {
        form.push(literal(touching));
    }
    let mut forms = vec![form.clone()];
    for word in words {
        form.extend([Item::Space(" "), literal(word)]);
        if word.contains(char::is_alphabetic) {
            forms.insert(0, form.clone());
        }
    }
    // The name of the weekday behind a day may be missing.
    let least = (1..end).filter_map(|end| before.get(..end)).find(|items| tells_day(items));
    forms.extend(least.map(<[_]>::to_vec));
    forms
}

/// A day behind a time: of what stands between them, brackets that open are the day's.
fn behind_a_time(behind: &[Item<'static>]) -> Vec<Item<'static>> {
    let begin = behind.iter().position(|item| text(item).is_none()).unwrap_or_default();
    let (gap, day) = behind.split_at_checked(begin).unwrap_or_default();
    let gap: String = gap.iter().filter_map(text).collect();
    let outside = gap.trim_end_matches(['(', '[', '<', '「', '（']);
    let brackets = gap.get(outside.len()..).unwrap_or_default();
    let brackets = Some(brackets).filter(|brackets| !brackets.is_empty()).map(literal);
    brackets.into_iter().chain(day.iter().cloned()).collect()
}

/// What touches a day, without what keeps it and the time apart. `touches_time` tells that no blank does.
fn without_separator(touching: &str, touches_time: bool) -> &str {
    let is_sign = |c: char| !c.is_alphanumeric() && !matches!(c, ')' | ']' | '>' | '」' | '）');
    if !touches_time {
        return touching.trim_end_matches(|c| is_sign(c) && c != '.');
    }
    let without_letters = touching.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    if without_letters.len() < touching.len() {
        return without_letters;
    }
    touching.strip_suffix(is_sign).unwrap_or(touching)
}

fn literal(text: &str) -> Item<'static> {
    Item::OwnedLiteral(text.into())
}
