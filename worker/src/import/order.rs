//! In which order rows reach the database. A random key costs a page of its index for each row; sorted, neighbours share
//! one. The order need not be the index's own to the last bit: eight bytes of the first key column bring nearly all of it.

use super::value::Value;

/// The first eight bytes of a value, so that their order as a number is the value's. Values without an order of use here
/// are all alike, and stay in the file's order.
pub(crate) fn key(value: &Value<'_>) -> u64 {
    match value {
        Value::Integer(number) => ordered(*number),
        Value::Uuid(uuid) => prefix(uuid.as_bytes()),
        Value::Text(text) => prefix(text.as_bytes()),
        Value::Date(day) => ordered(i64::from(chrono::Datelike::num_days_from_ce(day))),
        Value::Timestamp(timestamp) => ordered(timestamp.and_utc().timestamp_micros()),
        Value::TimestampZone(point) => ordered(point.timestamp_micros()),
        // Before or behind all others.
        Value::Special(special) => ordered(special.code),
        _ => 0,
    }
}

fn ordered(number: i64) -> u64 {
    number.cast_unsigned() ^ (1 << 63)
}

fn prefix(bytes: &[u8]) -> u64 {
    let mut key = [0; 8];
    key.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_their_values() {
        let numbers = [i64::MIN, -5, 0, 7, i64::MAX].map(|number| key(&Value::Integer(number)));
        assert!(numbers.is_sorted() && numbers[0] < numbers[4]);
        let texts = ["", "a", "ab", "b", "東京"].map(|text| key(&Value::Text(text)));
        assert!(texts.is_sorted() && texts[0] < texts[4]);
        let uuids = [uuid::Uuid::nil(), uuid::Uuid::from_u128(1 << 80), uuid::Uuid::max()].map(Value::Uuid);
        assert!(uuids.iter().map(key).is_sorted());
    }
}
