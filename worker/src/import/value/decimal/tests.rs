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
        assert_eq!(Decimal::parse(text, DecimalLimits::default()).unwrap_err().reason, Reason::NotADecimal);
    }
}

#[test]
fn the_smallest_integer_is_one() {
    let decimal = Decimal::parse("-9223372036854775808", DecimalLimits::default()).unwrap();
    assert_eq!(decimal.as_i64(), Some(i64::MIN));
    let decimal = Decimal::parse("9223372036854775808", DecimalLimits::default()).unwrap();
    assert_eq!(decimal.as_i64(), None);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

    /// An exponent, even one of zero, takes the long way.
    #[test]
    fn a_short_number_is_what_it_would_be_the_long_way(text in "-?0{0,3}[0-9]{1,15}\\.?[0-9]{0,8}", scale in -3..9_i16) {
        let limits = limits(12, scale);
        let long = format!("{text}e0");
        let (short, long) = (Decimal::parse(&*text, limits), Decimal::parse(&*long, limits));
        match (short, long) {
            (Ok(short), Ok(long)) => {
                let (mut digits, mut others) = (Vec::new(), Vec::new());
                proptest::prop_assert_eq!(short.base_10000(&mut digits), long.base_10000(&mut others));
                proptest::prop_assert_eq!(digits, others);
                proptest::prop_assert_eq!((short.as_i64(), short.scale()), (long.as_i64(), long.scale()));
            }
            (short, long) => proptest::prop_assert_eq!(short.err(), long.err()),
        }
    }
}
