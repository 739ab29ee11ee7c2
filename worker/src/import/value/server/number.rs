//! Numbers that are no digits with a sign, a point and an exponent.

use crate::import::reject::{Misfit, Reason};
use crate::import::value::DecimalLimits;

/// The sign that stands in the binary form of `numeric` for what is no number of digits.
const NAN: i64 = 0xC000;
const INFINITY: i64 = 0xD000;
const NEGATIVE_INFINITY: i64 = 0xF000;

/// Digits of another base that are turned into decimal ones. More would take time that no real value is worth.
const MAX_DIGITS: usize = 1000;

/// NaN and the infinities, by the sign of their binary form.
pub(super) fn special_numeric(text: &str, limits: DecimalLimits) -> Option<Result<i64, Misfit>> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("nan") {
        return Some(Ok(NAN));
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !unsigned.eq_ignore_ascii_case("infinity") && !unsigned.eq_ignore_ascii_case("inf") {
        return None;
    }
    if limits.declared.is_some() {
        let says = "is out of range: a column with a precision has no infinity";
        return Some(Err(Misfit::new(Reason::OutOfRange, says)));
    }
    Some(Ok(if text.starts_with('-') { NEGATIVE_INFINITY } else { INFINITY }))
}

/// `0x1F`, `0o17`, `0b101` and `1_000`, with a sign. `None` for any other form. Of a number that is too large, some number
/// that no column takes.
pub(super) fn integer(text: &str) -> Option<i128> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (base, digits) = digits(unsigned)?;
    let number = digits.iter().fold(0_i128, |sum, digit| {
        sum.saturating_mul(i128::from(base)).saturating_add(i128::from(*digit)).min(i128::from(u64::MAX))
    });
    Some(if text.starts_with('-') { -number } else { number })
}

/// The same as a number of decimal digits; also `1_000.000_1e1_0`.
pub(super) fn decimal(text: &str) -> Option<String> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = if text.starts_with('-') { "-" } else { "" };
    match digits(unsigned) {
        Some((10, digits)) => {
            Some(digits.iter().fold(sign.to_owned(), |text, digit| format!("{text}{digit}")))
        }
        Some((base, digits)) if digits.len() <= MAX_DIGITS => {
            Some(format!("{sign}{}", in_decimal(base, &digits)))
        }
        Some(_) => None,
        None => without_underscores(unsigned).map(|plain| format!("{sign}{plain}")),
    }
}

/// The base, and the digits by their values. A decimal number without underscores is none of this form.
fn digits(unsigned: &str) -> Option<(u32, Vec<u8>)> {
    let (base, written) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest),
        [b'0', b'o' | b'O', rest @ ..] => (8, rest),
        [b'0', b'b' | b'B', rest @ ..] => (2, rest),
        all => (10, all),
    };
    if base == 10 && !written.contains(&b'_') {
        return None;
    }
    let mut digits = Vec::with_capacity(written.len());
    // Behind the sign of another base an underscore may stand first.
    let mut may_be_underscore = base != 10;
    for &byte in written {
        if byte == b'_' && may_be_underscore {
            may_be_underscore = false;
            continue;
        }
        digits.push(u8::try_from(char::from(byte).to_digit(base)?).ok()?);
        may_be_underscore = true;
    }
    (!digits.is_empty() && written.last() != Some(&b'_')).then_some((base, digits))
}

/// A number with a point or an exponent without the underscores between its digits.
fn without_underscores(unsigned: &str) -> Option<String> {
    let bytes = unsigned.as_bytes();
    let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let is_between = |at: usize| is_digit(at.checked_sub(1)) && is_digit(Some(at + 1));
    let underscores = memchr::memchr_iter(b'_', bytes);
    (bytes.contains(&b'_') && underscores.into_iter().all(is_between)).then(|| unsigned.replace('_', ""))
}

/// Decimal digits of a number of another base, by groups of nine.
fn in_decimal(base: u32, digits: &[u8]) -> String {
    const GROUP: u64 = 1_000_000_000;
    let mut groups = vec![0_u64];
    for &digit in digits {
        let mut carry = u64::from(digit);
        for group in &mut groups {
            let sum = *group * u64::from(base) + carry;
            *group = sum % GROUP;
            carry = sum / GROUP;
        }
        if carry > 0 {
            groups.push(carry);
        }
    }
    let (last, rest) = groups.split_last().map_or((0, &[][..]), |(last, rest)| (*last, rest));
    rest.iter().rev().fold(last.to_string(), |text, group| format!("{text}{group:09}"))
}

/// `0x1F`, `0x1.8p3`, as C99 writes floating-point numbers, and `nan(...)`. Only a number that the column holds to the last
/// bit.
pub(super) fn float(text: &str, single: bool) -> Option<f64> {
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', ..] => (true, text.get(1..)?),
        [b'+', ..] => (false, text.get(1..)?),
        _ => (false, text),
    };
    let lower = unsigned.to_ascii_lowercase();
    if let Some(inner) = lower.strip_prefix("nan(").and_then(|rest| rest.strip_suffix(')')) {
        let is_word = inner.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        return is_word.then_some(f64::NAN);
    }
    let (mantissa, exponent) = match lower.strip_prefix("0x")?.split_once('p') {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (lower.strip_prefix("0x")?, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if whole.len() + fraction.len() == 0 || !is_hex(whole) || !is_hex(fraction) {
        return None;
    }
    let all = format!("{whole}{}", fraction.trim_end_matches('0'));
    let bits = u64::from_str_radix(all.trim_start_matches('0'), 16)
        .or_else(|_| if all.bytes().all(|byte| byte == b'0') { Ok(0) } else { Err(()) });
    let places = i32::try_from(fraction.trim_end_matches('0').len()).ok()?.checked_mul(4)?;
    scaled(bits.ok()?, exponent.checked_sub(places)?, single)
        .map(|number| if negative { -number } else { number })
}

/// A number times a power of two, where nothing of it is lost.
fn scaled(number: u64, exponent: i32, single: bool) -> Option<f64> {
    if number == 0 {
        return Some(0.0);
    }
    let (zeros, bits) = (number.trailing_zeros(), u64::BITS - number.leading_zeros());
    let (most_bits, least, most) = if single { (24, -126, 127) } else { (53, -1022, 1023) };
    let highest = exponent.checked_add(i32::try_from(bits).ok()? - 1)?;
    if bits - zeros > most_bits || !(least..=most).contains(&highest) {
        return None;
    }
    // In two steps, so that none of them leaves the range.
    let odd = (number >> zeros) as f64;
    let power = exponent + i32::try_from(zeros).ok()?;
    Some(odd * 2_f64.powi(power / 2) * 2_f64.powi(power - power / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_other_bases_are_read_as_the_server_reads_them() {
        for (text, number) in [
            ("0x1F", 31),
            ("-0o17", -15),
            ("+0b101", 5),
            ("1_000", 1000),
            ("0x_ff", 255),
            ("0XfF", 255),
            ("-1_0_0", -100),
        ] {
            assert_eq!(integer(text), Some(number), "{text}");
        }
        for text in ["1000", "0x", "_1", "1_", "1__0", "0x1_", "0xg", "0o8", "0b2", "1_a", "0x_", "x1", ""] {
            assert_eq!(integer(text), None, "{text}");
        }
        assert!(integer(&format!("0x{}", "f".repeat(500))).unwrap() > i128::from(i64::MAX));
    }

    #[test]
    fn decimals_of_other_bases_have_all_their_digits() {
        for (text, plain) in [
            ("0xFFFFFFFFFFFFFFFFFFFF", "1208925819614629174706175"),
            ("-0b1000000000000000000000000000000", "-1073741824"),
            ("1_000.000_1", "1000.0001"),
            ("1_0e1_0", "10e10"),
            ("0x0", "0"),
            ("1_000", "1000"),
        ] {
            assert_eq!(decimal(text).as_deref(), Some(plain), "{text}");
        }
        for text in ["1000.0", "1_.5", "1._5", "1e_5", "0x1.5", "_1.0"] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }

    #[test]
    fn a_hexadecimal_float_is_taken_where_nothing_of_it_is_lost() {
        for (text, number) in [
            ("0x1F", 31.0),
            ("-0x1.8p3", -12.0),
            ("0X.8", 0.5),
            ("0x0", 0.0),
            ("0x1p1023", 2_f64.powi(1023)),
            ("0x1p-1022", f64::MIN_POSITIVE),
            ("0x1.fffffffffffffp1023", f64::MAX),
        ] {
            assert_eq!(float(text, false), Some(number), "{text}");
        }
        assert!(float("nan(a_1)", false).unwrap().is_nan());
        for text in
            ["0x", "0x.", "0x1p", "0x1.ffffffffffffffp0", "0x1p1024", "0x1p-1023", "1F", "0xg", "nan(-)"]
        {
            assert_eq!(float(text, false), None, "{text}");
        }
        assert_eq!((float("0x1000001", true), float("0x1000001", false)), (None, Some(16_777_217.0)));
    }
}
