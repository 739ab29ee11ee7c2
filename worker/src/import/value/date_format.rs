//! The import's own form of dates and times, in the letters of `strftime`. What it can tell (a day, a time, a zone) is
//! found out once, with a sample; a form that tells no day, or that would lose or misread something, is refused.

mod day_part;
mod examples;
mod steps;
mod time_part;

use std::fmt::Write as _;

use chrono::format::{Fixed, Item, Numeric, Parsed, StrftimeItems, parse_and_remainder};
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime};

pub(super) use examples::Examples;

/// A point in time whose parts cannot be taken for one another.
const SAMPLE: &str = "2001-02-03T16:05:06+09:00";

/// A form of dates and times.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DateFormat {
    /// The forms of a day alone, the longest first; none where it cannot be told without the time.
    days: Vec<Vec<Item<'static>>>,
    /// All of it, where it has a time too.
    whole: Option<Vec<Item<'static>>>,
    /// It ends with a `Z` as it stands, which is UTC.
    is_in_utc: bool,
    /// Its hours are those of half a day: a time without that half is none of this form.
    pub(super) has_half_days: bool,
    /// An ISO 8601 date is one of this form too, and another day by it: then only the form counts.
    pub(super) overrides_iso: bool,
    /// Values in this form, for people.
    pub(super) examples: Examples,
}

/// What a text of this form tells.
pub(super) struct ParsedMoment {
    pub(super) day: NaiveDate,
    pub(super) time: NaiveTime,
    pub(super) zone: Option<FixedOffset>,
}

impl DateFormat {
    /// Understands a form; a sentence where no day can be read by it.
    pub(super) fn parse(format: &str) -> Result<Self, String> {
        let refused = |why: &str| Err(format!("the date format {format:?} {why}"));
        // Values are read by it as they are, and once more with their full-width signs in ASCII.
        let format = super::full_width::to_ascii(format).unwrap_or_else(|| format.to_owned());
        let Ok(items) = StrftimeItems::new(&format).parse_to_owned() else {
            return refused("is none of strftime's (for example %d.%m.%Y or %Y/%m/%d %H:%M)");
        };
        if items.contains(&Item::Fixed(Fixed::TimezoneName)) {
            return refused("has %Z, but names of zones mean nothing certain; leave it out, or use %z");
        }
        if items.iter().any(|item| matches!(item, Item::Numeric(Numeric::Nanosecond, _))) {
            return refused("has %f, which counts nanoseconds; write %.f for the digits behind the second");
        }
        // It reads a zone with less than all of its digits, and no example of it can be written.
        if format.replace("%%", "").contains("%#z") {
            return refused("has %#z, which is not taken; write %z");
        }
        if !tells_day(&items) {
            return refused("does not tell a day: it needs year, month and day");
        }
        let has_time = match time_part::tells_time(&items) {
            Ok(has_time) => has_time,
            Err(why) => return refused(why),
        };
        let days = day_part::of(&items);
        // No word that ends so.
        let is_z =
            |text: &str| text.strip_suffix('Z').is_some_and(|rest| !rest.ends_with(char::is_alphabetic));
        let is_in_utc = items.last().and_then(day_part::text).is_some_and(is_z);
        let examples = Examples::of(&items, has_time, is_in_utc, days.last().map(Vec::as_slice));
        let is_half = |item: &Item<'_>| matches!(item, Item::Fixed(Fixed::UpperAmPm | Fixed::LowerAmPm));
        let has_half_days = items.iter().any(is_half);
        let whole = has_time.then_some(items);
        let mut known = Self { days, whole, is_in_utc, has_half_days, overrides_iso: false, examples };
        let iso = sample().date_naive();
        known.overrides_iso = matches!(known.day(&iso.to_string()), Some((Some(day), "")) if day != iso);
        Ok(known)
    }

    /// A day at the beginning of the text, and what follows it. There is no day where the text is of this form but the
    /// calendar does not have it.
    pub(super) fn day<'t>(&self, text: &'t str) -> Option<(Option<NaiveDate>, &'t str)> {
        self.days.iter().find_map(|items| {
            let mut parsed = Parsed::new();
            let rest = steps::read(&mut parsed, text, items)?;
            Some((parsed.to_naive_date().ok(), rest))
        })
    }

    /// A day and a time at the beginning of the text, and what follows them.
    pub(super) fn whole<'t>(&self, text: &'t str) -> Option<(ParsedMoment, &'t str)> {
        let mut parsed = Parsed::new();
        let rest = steps::read(&mut parsed, text, self.whole.as_ref()?)?;
        let zone = match (parsed.offset(), parsed.timestamp()) {
            (Some(seconds), _) => Some(FixedOffset::east_opt(seconds)?),
            // Seconds since 1970 are counted in UTC.
            (None, Some(_)) => FixedOffset::east_opt(0),
            (None, None) => FixedOffset::east_opt(0).filter(|_| self.is_in_utc),
        };
        let local =
            parsed.to_naive_datetime_with_offset(zone.map_or(0, |zone| zone.local_minus_utc())).ok()?;
        if loses_digits(text) {
            return None;
        }
        Some((ParsedMoment { day: local.date(), time: local.time(), zone }, rest))
    }
}

/// Digits behind the ninth of a second's fraction are passed over in reading.
fn loses_digits(text: &str) -> bool {
    let fraction = text.rsplit_once('.').map_or("", |(_, fraction)| fraction);
    let beyond = fraction.bytes().take_while(u8::is_ascii_digit).skip(9);
    beyond.into_iter().any(|digit| digit != b'0')
}

fn sample() -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(SAMPLE).unwrap_or_default()
}

/// A point in time in this form; `None` where the form cannot be written.
fn in_form(point: DateTime<FixedOffset>, items: &[Item<'static>]) -> Option<String> {
    let mut text = String::new();
    write!(text, "{}", point.format_with_items(items.iter())).ok()?;
    Some(text)
}

/// What is read of the sample in this form.
fn read_sample(items: &[Item<'static>]) -> Option<Parsed> {
    let mut parsed = Parsed::new();
    parse_and_remainder(&mut parsed, &in_form(sample(), items)?, items.iter()).ok()?;
    Some(parsed)
}

fn tells_day(items: &[Item<'static>]) -> bool {
    let Some(parsed) = read_sample(items) else { return false };
    let stamp = || parsed.to_naive_datetime_with_offset(0).map(|point| point.date());
    parsed.to_naive_date().or_else(|_| stamp()).is_ok_and(|day| day == sample().date_naive())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(format: &str) -> String {
        DateFormat::parse(format).unwrap_err()
    }

    #[test]
    fn a_form_that_tells_no_day_or_misreads_something_is_refused() {
        assert_eq!(
            refusal("%d.%m."),
            "the date format \"%d.%m.\" does not tell a day: it needs year, month and day"
        );
        assert!(refusal("%Q").contains("is none of strftime's"));
        assert!(refusal("%d.%m.%Y %H:%M%#z").contains("has %#z, which is not taken; write %z"));
        for format in ["", "yyyy-mm-dd", "%H:%M", "%j", "%"] {
            assert!(DateFormat::parse(format).is_err(), "{format}");
        }
        assert!(refusal("%Y/%m/%d %I:%M").contains("with %I also %p"));
        assert!(refusal("%Y/%m/%d %H").contains("needs minutes"));
        assert!(
            refusal("%d.%m.%Y %z")
                .ends_with("has a zone, but no time that it could be of: add %H:%M, or leave it out")
        );
        assert!(
            refusal("%d.%m.%Y %M:%S").ends_with("has a part of a time, but no hour: add %H, or leave it out")
        );
        assert!(
            refusal("%d.%m.%Y %p").ends_with("has a part of a time, but no hour: add %H, or leave it out")
        );
        assert!(refusal("%d.%m.%Y %H %z").contains("with an hour it needs minutes"));
        assert!(refusal("%d.%m.%Y %I:%M %z").contains("with %I also %p"));
        assert!(refusal("%Y/%m/%d %H:%M %Z").contains("use %z"));
        assert!(refusal("%Y/%m/%d %H:%M:%S.%f").contains("write %.f"));
    }

    #[test]
    fn the_usual_forms_are_understood() {
        for format in [
            "%d.%m.%Y",
            "%Y/%m/%d",
            "%m/%d/%y",
            "%Y年%m月%d日",
            "%Y%m%d",
            "%d %b %Y",
            "%Y/%m/%d %H:%M",
            "%d/%m/%Y %I:%M:%S %p",
            "%Y-%m-%d %H:%M:%S%.f %z",
            "%s",
            "%Y%j",
            "%G-W%V-%u",
        ] {
            assert!(DateFormat::parse(format).is_ok(), "{format}: {}", refusal(format));
        }
    }

    #[test]
    fn a_form_that_reads_iso_dates_as_other_days_stands_alone() {
        assert!(DateFormat::parse("%Y-%d-%m").unwrap().overrides_iso);
        assert!(!DateFormat::parse("%Y-%m-%d").unwrap().overrides_iso);
        assert!(!DateFormat::parse("%d.%m.%Y").unwrap().overrides_iso);
    }
}
