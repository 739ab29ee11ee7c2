//! Whole numbers and floating-point numbers.

use super::Width;
use crate::import::reject::{Misfit, Reason};

/// A whole number: a sign, digits.
pub(super) fn parse_integer(text: &str, width: Width) -> Result<i64, Misfit> {
    let (min, max) = range(width);
    match text.parse::<i64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        Err(error) if !is_overflow(&error) => Err(not_an_integer(text)),
        _ => Err(out_of_range(width)),
    }
}

/// A whole number that is read otherwise.
pub(super) fn within(number: i128, width: Width) -> Result<i64, Misfit> {
    let (min, max) = range(width);
    let number = i64::try_from(number).ok().filter(|number| (min..=max).contains(number));
    number.ok_or_else(|| out_of_range(width))
}

fn range(width: Width) -> (i64, i64) {
    match width {
        Width::Two => (i64::from(i16::MIN), i64::from(i16::MAX)),
        Width::Four => (i64::from(i32::MIN), i64::from(i32::MAX)),
        Width::Eight => (i64::MIN, i64::MAX),
    }
}

fn out_of_range(width: Width) -> Misfit {
    let (min, max) = range(width);
    Misfit::new(Reason::OutOfRange, format!("is out of range: the column takes {min} to {max}"))
}

#[cold]
fn not_an_integer(text: &str) -> Misfit {
    let is_decimal = text.contains(['.', 'e', 'E']) && text.parse::<f64>().is_ok_and(f64::is_finite);
    let says = if is_decimal {
        "is no integer: the column takes digits without a point or an exponent"
    } else {
        "is no integer"
    };
    Misfit::new(Reason::NotAnInteger, says)
}

fn is_overflow(error: &std::num::ParseIntError) -> bool {
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    matches!(error.kind(), PosOverflow | NegOverflow)
}

/// A floating-point number: the nearest one that the column's type has, as PostgreSQL does. What would become an infinity
/// or, not being zero, zero is out of range.
pub(super) fn parse_float(text: &str, single: bool, special: bool) -> Result<f64, Misfit> {
    let not_a_number = || Misfit::new(Reason::NotANumber, "is no number");
    let has_digits = text.bytes().any(|byte| byte.is_ascii_digit());
    if !has_digits && !special {
        return Err(not_a_number());
    }
    let (number, is_zero) = if single {
        let number = text.parse::<f32>().map_err(|_| not_a_number())?;
        (f64::from(number), number == 0.0)
    } else {
        let number = text.parse::<f64>().map_err(|_| not_a_number())?;
        (number, number == 0.0)
    };
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let written_as_zero = || mantissa.bytes().all(|byte| !matches!(byte, b'1'..=b'9'));
    if has_digits && (number.is_infinite() || (is_zero && !written_as_zero())) {
        let says = if single {
            "is out of range: the column takes about 1e-45 to 3.4e38"
        } else {
            "is out of range: the column takes about 5e-324 to 1.8e308"
        };
        return Err(Misfit::new(Reason::OutOfRange, says));
    }
    Ok(number)
}
