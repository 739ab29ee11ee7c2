//! Decimal numbers, kept to the digit: as text, not as a binary fraction.

use crate::import::reject::{Misfit, Reason};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal<'a> {
    /// As it is written.
    pub(crate) text: &'a str,
    /// Below zero.
    pub(crate) negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    /// Power of ten that the digits are multiplied with.
    exponent: i32,
}

impl<'a> Decimal<'a> {
    /// Reads a sign, digits with a point, and an exponent.
    pub(crate) fn parse(text: &'a str, limits: DecimalLimits) -> Result<Self, Misfit> {
        let decimal =
            Self::split(text).ok_or_else(|| Misfit::new(Reason::NotADecimal, "is no decimal number"))?;
        decimal.check(limits)?;
        Ok(decimal)
    }

    fn split(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (negative, rest) = match bytes {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, bytes),
        };
        let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (whole, rest) = rest.split_at_checked(digits(rest))?;
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
        Some(Self { text, negative, whole, fraction, exponent })
    }

    fn check(&self, limits: DecimalLimits) -> Result<(), Misfit> {
        let Some((first, last)) = self.span() else { return Ok(()) };
        if let Some((precision, scale)) = limits.declared {
            let (precision, scale) = (i64::from(precision), i64::from(scale));
            if last < -scale {
                let says = match scale {
                    0 => "has digits behind the point, the column keeps none".to_owned(),
                    1 => "has more digits behind the point than the column keeps (1)".to_owned(),
                    _ => format!("has more digits behind the point than the column keeps ({scale})"),
                };
                return Err(Misfit::new(Reason::TooPrecise, says));
            }
            if first >= precision - scale {
                let whole = precision - scale;
                let says = format!("is out of range: the column takes {whole} digits before the point");
                return Err(Misfit::new(Reason::OutOfRange, says));
            }
        } else if first >= MAX_WHOLE_DIGITS || -last > MAX_SCALE {
            let says = format!(
                "is out of range: the column takes {MAX_WHOLE_DIGITS} digits before and {MAX_SCALE} behind the point"
            );
            return Err(Misfit::new(Reason::OutOfRange, says));
        }
        match limits.significant {
            Some(most) if self.as_i64().is_none() && first - last + 1 > i64::from(most) => {
                let says = format!("has more than {most} digits, which the column cannot keep exactly");
                Err(Misfit::new(Reason::TooPrecise, says))
            }
            _ => Ok(()),
        }
    }

    /// The powers of ten of the first and the last digit that is not zero; `None` for zero.
    fn span(&self) -> Option<(i64, i64)> {
        let mut digits = self.powers();
        let first = digits.find(|&(_, digit)| digit != 0)?.0;
        let last = digits.rfind(|&(_, digit)| digit != 0).map_or(first, |(power, _)| power);
        Some((first, last))
    }

    /// Every digit with its power of ten, highest first.
    fn powers(&self) -> impl DoubleEndedIterator<Item = (i64, u8)> + use<'a> {
        let highest = self.whole.len() as i64 - 1 + i64::from(self.exponent);
        let whole = self.whole.iter().enumerate();
        let fraction = self.fraction.iter().enumerate();
        let behind = i64::from(self.exponent) - 1;
        whole
            .map(move |(index, digit)| (highest - index as i64, digit - b'0'))
            .chain(fraction.map(move |(index, digit)| (behind - index as i64, digit - b'0')))
    }

    /// The number as a 64-bit integer, if it is one.
    pub(crate) fn as_i64(&self) -> Option<i64> {
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
        (self.fraction.len() as i64 - i64::from(self.exponent)).clamp(0, MAX_SCALE)
    }

    /// The number in base 10,000, as PostgreSQL's `numeric` has it: digits without zeros at either end, and the power of
    /// 10,000 of the first.
    pub(crate) fn base_10000(&self, digits: &mut Vec<i16>) -> i64 {
        digits.clear();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(precision: u16, scale: i16) -> DecimalLimits {
        DecimalLimits { declared: Some((precision, scale)), significant: None }
    }

    fn groups(text: &str) -> (Vec<i16>, i64) {
        let mut digits = Vec::new();
        let weight = Decimal::parse(text, DecimalLimits::default()).unwrap().base_10000(&mut digits);
        (digits, weight)
    }

    #[test]
    fn digits_are_grouped_as_postgresql_keeps_them() {
        assert_eq!(groups("12345.678"), (vec![1, 2345, 6780], 1));
        assert_eq!(groups("0.0001"), (vec![1], -1));
        assert_eq!(groups("0.00001"), (vec![1000], -2));
        assert_eq!(groups("10000"), (vec![1], 1));
        assert_eq!(groups("1.5e3"), (vec![1500], 0));
        assert_eq!(groups("-000.10"), (vec![1000], -1));
        assert_eq!(groups("0.00"), (vec![], 0));
        assert_eq!(groups("100000001"), (vec![1, 0, 1], 2));
    }

    #[test]
    fn nothing_is_rounded_and_zeros_at_the_end_are_no_digits() {
        assert!(Decimal::parse("99999999.99", limits(10, 2)).is_ok());
        assert!(Decimal::parse("1.500", limits(10, 2)).is_ok());
        assert_eq!(Decimal::parse("1.005", limits(10, 2)).unwrap_err().reason, Reason::TooPrecise);
        assert_eq!(Decimal::parse("100000000", limits(10, 2)).unwrap_err().reason, Reason::OutOfRange);
        assert_eq!(Decimal::parse("1e999999999999", limits(10, 2)).unwrap_err().reason, Reason::OutOfRange);
        assert!(Decimal::parse("0e999999999999", limits(10, 2)).is_ok());
        assert!(Decimal::parse("1200", limits(2, -2)).is_ok());
        assert_eq!(Decimal::parse("1250", limits(2, -2)).unwrap_err().reason, Reason::TooPrecise);
    }

    #[test]
    fn a_column_that_keeps_binary_fractions_takes_only_what_it_keeps_exactly() {
        let limits = DecimalLimits { declared: None, significant: Some(15) };
        assert!(Decimal::parse("123456789012.345", limits).is_ok());
        assert!(Decimal::parse("9223372036854775807", limits).is_ok());
        assert_eq!(Decimal::parse("1234567890123.456", limits).unwrap_err().reason, Reason::TooPrecise);
    }

    #[test]
    fn what_is_no_decimal_is_told() {
        for text in ["", "abc", "1,000", "1.2.3", ".", "-", "1e", "1e+", "0x10", "NaN", "1 2"] {
            assert_eq!(
                Decimal::parse(text, DecimalLimits::default()).unwrap_err().reason,
                Reason::NotADecimal
            );
        }
    }

    #[test]
    fn the_smallest_integer_is_one() {
        let decimal = Decimal::parse("-9223372036854775808", DecimalLimits::default()).unwrap();
        assert_eq!(decimal.as_i64(), Some(i64::MIN));
        let decimal = Decimal::parse("9223372036854775808", DecimalLimits::default()).unwrap();
        assert_eq!(decimal.as_i64(), None);
    }
}
