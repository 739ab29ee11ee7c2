//! Numbers, sizes and durations as a person says them.

use std::time::Duration;

/// A duration as a person says it: `340 ms`, `2.1 s`, `3 min 20 s`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..=119 => format!("{:.1} s", duration.as_secs_f64()),
        120..=7199 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A size as a person says it: `15 B`, `1.46 KiB`.
pub fn bytes(bytes: u64) -> String {
    // Of a size that a file can have, the digits that are lost are not among those that are shown.
    #[expect(clippy::cast_precision_loss, reason = "two decimals are shown")]
    let mut size = bytes as f64;
    let mut unit = None;
    for larger in ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] {
        if size < 1024.0 {
            break;
        }
        size /= 1024.0;
        unit = Some(larger);
    }
    unit.map_or_else(|| format!("{bytes} B"), |unit| format!("{size:.2} {unit}"))
}

/// A number with its thousands apart.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut apart = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_as_a_person_says_them() {
        let said = |millis| duration(Duration::from_millis(millis));
        assert_eq!(
            [said(340), said(2_140), said(200_000), said(7_500_000)],
            ["340 ms", "2.1 s", "3 min 20 s", "2 h 5 min"]
        );
    }

    #[test]
    fn sizes_and_numbers_are_said_as_a_person_says_them() {
        let sizes = [0, 15, 1023, 1024, 1_500, 1_500_000, 1_500_000_000, 5 << 30, u64::MAX];
        assert_eq!(
            sizes.map(bytes),
            [
                "0 B",
                "15 B",
                "1023 B",
                "1.00 KiB",
                "1.46 KiB",
                "1.43 MiB",
                "1.40 GiB",
                "5.00 GiB",
                "16.00 EiB"
            ]
        );
        assert_eq!(
            [0, 999, 1_000, 12_345, 999_999, 1_000_000].map(count),
            ["0", "999", "1,000", "12,345", "999,999", "1,000,000"]
        );
    }
}
