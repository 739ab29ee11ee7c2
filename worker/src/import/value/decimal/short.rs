//! A decimal number of at most 18 digits, without an exponent: one integer and the place of its point.

use super::DecimalLimits;

/// The powers of ten that 64 bits hold.
const POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut index = 1;
    while index < powers.len() {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

/// The most digits: any more might not fit into 64 bits with a sign.
const MAX_DIGITS: usize = 18;

/// A number of few digits, without its sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Short {
    /// All digits as one integer.
    number: u64,
    /// How many of them stand behind the point.
    fraction: u8,
}

impl Short {
    /// Reads digits with at most one point; `None` for anything else, and for more digits.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        if text.len() > MAX_DIGITS + 1 {
            return None;
        }
        let (mut number, mut point) = (0_u64, None);
        for (index, &byte) in text.iter().enumerate() {
            match byte {
                // 19 digits at most so far, which 64 bits hold.
                b'0'..=b'9' => number = number * 10 + u64::from(byte - b'0'),
                b'.' if point.is_none() => point = Some(index),
                _ => return None,
            }
        }
        let (digits, fraction) = match point {
            Some(point) => (text.len() - 1, text.len() - 1 - point),
            None => (text.len(), 0),
        };
        let is_short = (1..=MAX_DIGITS).contains(&digits);
        is_short.then_some(Self { number, fraction: u8::try_from(fraction).ok()? })
    }

    /// Whether it is plain that a column of these limits keeps it. `false` decides nothing.
    pub(super) fn fits(self, limits: DecimalLimits) -> bool {
        let is_below = |number: u64, digits: i64| match usize::try_from(digits) {
            Ok(digits) => POWERS.get(digits).is_none_or(|&power| number < power),
            Err(_) => false,
        };
        limits.declared.is_none_or(|(precision, scale)| {
            i16::from(self.fraction) <= scale
                && is_below(self.split().0, i64::from(precision) - i64::from(scale))
        }) && limits.significant.is_none_or(|most| self.fraction == 0 || is_below(self.number, most.into()))
    }

    /// What stands before and behind the point.
    fn split(self) -> (u64, u64) {
        let unit = POWERS.get(usize::from(self.fraction)).copied().unwrap_or(1);
        (self.number / unit, self.number % unit)
    }

    /// The number as an integer, if it is one.
    pub(super) fn as_integer(self) -> Option<i64> {
        let (whole, fraction) = self.split();
        if fraction == 0 { i64::try_from(whole).ok() } else { None }
    }

    /// Digits behind the point.
    pub(super) fn scale(self) -> i64 {
        self.fraction.into()
    }

    /// As for [`super::Decimal::base_10000`].
    pub(super) fn base_10000(self, digits: &mut Vec<i16>) -> i64 {
        let (mut whole, mut fraction) = self.split();
        if self.number == 0 {
            return 0;
        }
        // From the last group to the first; the last of the fraction may lack digits at its end.
        let mut push = |group: u64| {
            if group != 0 || !digits.is_empty() {
                digits.push(group as i16);
            }
        };
        let (groups, digits_over) = (i64::from(self.fraction / 4), usize::from(self.fraction % 4));
        if let (1.., Some(&unit), Some(&missing)) =
            (digits_over, POWERS.get(digits_over), POWERS.get(4_usize.saturating_sub(digits_over)))
        {
            push(fraction % unit * missing);
            fraction /= unit;
        }
        for _ in 0..groups {
            push(fraction % 10_000);
            fraction /= 10_000;
        }
        let mut weight = -1;
        while whole != 0 {
            push(whole % 10_000);
            whole /= 10_000;
            weight += 1;
        }
        // A number below one may have groups of zeros before its first.
        while digits.last() == Some(&0) {
            digits.pop();
            weight -= 1;
        }
        digits.reverse();
        weight
    }
}
