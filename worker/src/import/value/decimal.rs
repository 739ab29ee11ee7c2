//! Decimal numbers, kept to the digit: as text, not as a binary fraction. The usual one has at most 18 digits and no
//! exponent; it is also kept as one integer, and most questions are answered by that.

mod short;

use std::borrow::Cow;

use crate::import::reject::{Misfit, Reason};
use short::Short;

/// The most digits before the point that PostgreSQL's `numeric` takes.
const MAX_WHOLE_DIGITS: i64 = 131_072;

/// The most digits behind the point that PostgreSQL's `numeric` takes.
const MAX_SCALE: i64 = 16_383;

/// What a column keeps of a decimal number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DecimalLimits {
    /// Digits in all, and of them behind the point. The latter may be negative in PostgreSQL.
    pub(crate) declared: Option<(u16, i16)>,
    /// A bound on the digits that carry meaning, where the database keeps a number that is no 64-bit integer as a binary
    /// fraction.
    pub(crate) significant: Option<u16>,
}

/// A decimal number: sign, digits and the place of the point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decimal<'a> {
    /// As it is written, in ASCII.
    pub(crate) text: Cow<'a, str>,
    /// Below zero.
    pub(crate) negative: bool,
    digits: Digits,
}

/// Where the digits are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digits {
    /// In one integer.
    Short(Short),
    /// In the text: so many characters before the first, so many digits before and behind the point; all of them
    /// multiplied by a power of ten.
    Long { start: u8, whole: u32, fraction: u32, exponent: i32 },
}

impl<'a> Decimal<'a> {
    /// Reads a sign, digits with a point, and an exponent.
    pub(crate) fn parse(text: impl Into<Cow<'a, str>>, limits: DecimalLimits) -> Result<Self, Misfit> {
        let text = text.into();
        let (negative, start) = match text.as_bytes() {
            [b'-', ..] => (true, 1),
            [b'+', ..] => (false, 1),
            _ => (false, 0),
        };
        let unsigned = text.as_bytes().get(usize::from(start)..).unwrap_or_default();
        if let Some(short) = Short::read(unsigned)
            && short.fits(limits)
        {
            return Ok(Self { text, negative, digits: Digits::Short(short) });
        }
        let digits =
            split(unsigned, start).ok_or_else(|| Misfit::new(Reason::NotADecimal, "is no decimal number"))?;
        let decimal = Self { text, negative, digits };
        decimal.check(limits)?;
        Ok(decimal)
    }

    fn check(&self, limits: DecimalLimits) -> Result<(), Misfit> {
        if limits == DecimalLimits::default() && self.written_scale() > MAX_SCALE {
            return Err(beyond_numeric());
        }
        let Some((first, last)) = self.span() else { return Ok(()) };
        if let Some((precision, scale)) = limits.declared {
            let (precision, scale) = (i64::from(precision), i64::from(scale));
            if last < -scale {
                let says = match scale {
                    ..0 => format!(
                        "is no multiple of {}, and the column keeps no digits below that",
                        power_of_ten(-scale)
                    ),
                    0 => "has digits behind the point, the column keeps none".to_owned(),
                    1 => "has more digits behind the point than the column keeps (1)".to_owned(),
                    _ => format!("has more digits behind the point than the column keeps ({scale})"),
                };
                return Err(Misfit::new(Reason::TooPrecise, says));
            }
            if first >= precision - scale {
                let says = match precision - scale {
                    1 => "is out of range: the column takes 1 digit before the point".to_owned(),
                    whole @ 2.. => {
                        format!("is out of range: the column takes {whole} digits before the point")
                    }
                    whole => {
                        let bound = power_of_ten(whole);
                        format!("is out of range: the column takes values above -{bound} and below {bound}")
                    }
                };
                return Err(Misfit::new(Reason::OutOfRange, says));
            }
        } else if first >= MAX_WHOLE_DIGITS || -last > MAX_SCALE {
            return Err(beyond_numeric());
        }
        match limits.significant {
            Some(most) if self.as_i64().is_none() && first - last + 1 > i64::from(most) => {
                let says = format!("has more than {most} digits, which the column cannot keep exactly");
                Err(Misfit::new(Reason::TooPrecise, says))
            }
            _ => Ok(()),
        }
    }

    /// The digits before and behind the point, and the power of ten that they are multiplied with.
    fn parts(&self) -> (&[u8], &[u8], i64) {
        let Digits::Long { start, whole, fraction, exponent } = self.digits else { return (&[], &[], 0) };
        let bytes = self.text.as_bytes();
        let (start, whole, fraction) = (usize::from(start), whole as usize, fraction as usize);
        let behind = start + whole + 1;
        let part = |from: usize, length: usize| bytes.get(from..from + length).unwrap_or_default();
        (part(start, whole), part(behind, fraction), i64::from(exponent))
    }

    /// The powers of ten of the first and the last digit that is not zero; `None` for zero.
    fn span(&self) -> Option<(i64, i64)> {
        let mut digits = self.powers();
        let first = digits.find(|&(_, digit)| digit != 0)?.0;
        let last = digits.rfind(|&(_, digit)| digit != 0).map_or(first, |(power, _)| power);
        Some((first, last))
    }

    /// Every digit with its power of ten, highest first.
    fn powers(&self) -> impl DoubleEndedIterator<Item = (i64, u8)> {
        let (whole, fraction, exponent) = self.parts();
        let highest = whole.len() as i64 - 1 + exponent;
        let whole = whole.iter().enumerate();
        let fraction = fraction.iter().enumerate();
        whole
            .map(move |(index, digit)| (highest - index as i64, digit - b'0'))
            .chain(fraction.map(move |(index, digit)| (exponent - 1 - index as i64, digit - b'0')))
    }

    /// The number as a 64-bit integer, if it is one.
    pub(crate) fn as_i64(&self) -> Option<i64> {
        if let Digits::Short(short) = self.digits {
            let number = short.as_integer()?;
            return Some(if self.negative { -number } else { number });
        }
        let Some((first, last)) = self.span() else { return Some(0) };
        if last < 0 || first > 18 {
            return None;
        }
        let mut sum = 0_i64;
        for (power, digit) in self.powers().filter(|&(_, digit)| digit != 0) {
            let part = 10_i64.checked_pow(u32::try_from(power).ok()?)?.checked_mul(i64::from(digit))?;
            // Downwards where it is negative: i64::MIN has no positive counterpart.
            sum = if self.negative { sum.checked_sub(part)? } else { sum.checked_add(part)? };
        }
        Some(sum)
    }

    /// Digits behind the point that are shown, zeros at the end among them.
    pub(crate) fn scale(&self) -> i64 {
        match self.digits {
            Digits::Short(short) => short.scale(),
            Digits::Long { .. } => self.written_scale().clamp(0, MAX_SCALE),
        }
    }

    /// Digits behind the point as they are written; below zero where zeros are left out before it.
    fn written_scale(&self) -> i64 {
        match self.digits {
            Digits::Short(short) => short.scale(),
            Digits::Long { fraction, exponent, .. } => i64::from(fraction) - i64::from(exponent),
        }
    }

    /// The number in base 10,000, as PostgreSQL's `numeric` has it: digits without zeros at either end, and the power of
    /// 10,000 of the first.
    pub(crate) fn base_10000(&self, digits: &mut Vec<i16>) -> i64 {
        digits.clear();
        if let Digits::Short(short) = self.digits {
            return short.base_10000(digits);
        }
        let Some((first, _)) = self.span() else { return 0 };
        let weight = first.div_euclid(4);
        for (power, digit) in self.powers().filter(|&(_, digit)| digit != 0) {
            let place = usize::try_from(weight - power.div_euclid(4)).unwrap_or(0);
            if digits.len() <= place {
                digits.resize(place + 1, 0);
            }
            if let Some(group) = digits.get_mut(place) {
                *group += i16::from(digit) * [1, 10, 100, 1000][power.rem_euclid(4) as usize];
            }
        }
        weight
    }
}

/// A power of ten as people write it, where that is not too long: `100`, `0.01`.
fn power_of_ten(exponent: i64) -> String {
    let zeros = |count: u64| "0".repeat(count.try_into().unwrap_or(0));
    match exponent {
        0..=12 => format!("1{}", zeros(exponent.unsigned_abs())),
        -12..0 => format!("0.{}1", zeros(exponent.unsigned_abs() - 1)),
        _ => format!("10^{exponent}"),
    }
}

fn beyond_numeric() -> Misfit {
    let says = format!(
        "is out of range: the column takes {MAX_WHOLE_DIGITS} digits before and {MAX_SCALE} behind the point"
    );
    Misfit::new(Reason::OutOfRange, says)
}

/// The digits of an unsigned number that stands at `start` of its text.
fn split(unsigned: &[u8], start: u8) -> Option<Digits> {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, rest) = unsigned.split_at_checked(digits(unsigned))?;
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => rest.split_at_checked(digits(rest))?,
        _ => (&[][..], rest),
    };
    let exponent = match rest {
        [] => 0,
        // An exponent of more digits is out of any range, and clamped.
        [b'e' | b'E', exponent @ ..] => {
            let exponent = std::str::from_utf8(exponent).ok()?;
            let is_number = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if is_number.is_empty() || !is_number.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            let beyond = if exponent.starts_with('-') { -1_000_000 } else { 1_000_000 };
            exponent.parse::<i32>().unwrap_or(beyond).clamp(-1_000_000, 1_000_000)
        }
        _ => return None,
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let length = |digits: &[u8]| u32::try_from(digits.len()).ok();
    Some(Digits::Long { start, whole: length(whole)?, fraction: length(fraction)?, exponent })
}

#[cfg(test)]
mod tests;
