//! Values in an import's own form of dates, for the sentences about values that are not of it. Each is one that a column of
//! its type takes.

use chrono::format::Item;
use chrono::{DateTime, FixedOffset, NaiveTime};

use super::{in_form, read_sample, sample};

/// A value in the form, for each of the types with a day.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in super::super) struct Examples {
    /// For a day.
    pub(in super::super) day: String,
    /// For a day with a time, without a zone.
    pub(in super::super) plain: String,
    /// For a day with a time and its zone.
    pub(in super::super) zoned: String,
}

impl Examples {
    /// Of the whole form, and of that part of it which tells a day alone.
    pub(super) fn of(
        items: &[Item<'static>],
        has_time: bool,
        is_in_utc: bool,
        day: Option<&[Item<'static>]>,
    ) -> Self {
        let written = |point, items: &[Item<'static>]| in_form(point, items).unwrap_or_default();
        let parsed = read_sample(items);
        let has_zone = is_in_utc
            || parsed.is_some_and(|parsed| parsed.offset().is_some() || parsed.timestamp().is_some());
        let behind = match (has_time, has_zone) {
            (false, _) => " 16:05:06+09:00",
            (true, false) => "+09:00",
            (true, true) => "",
        };
        Self {
            day: written(in_utc(NaiveTime::MIN), day.unwrap_or(items)),
            plain: written(in_utc(sample().time()), items),
            zoned: format!("{}{behind}", written(sample(), items)),
        }
    }
}

/// The sample's day at a time in UTC: the only zone that loses nothing in a column without one.
fn in_utc(time: NaiveTime) -> DateTime<FixedOffset> {
    sample().date_naive().and_time(time).and_utc().fixed_offset()
}
