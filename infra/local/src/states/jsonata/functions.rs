//! The functions that Step Functions adds to JSONata, and those whose results depend on the clock or on chance, which
//! come in as arguments here. `$eval` fails even where the check of the definition could be tricked.
//!
//! Source: "Transforming data with JSONata in Step Functions", Step Functions developer guide.

use std::cell::RefCell;
use std::rc::Rc;

use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::value::JValue;
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::DEPTH_LIMIT;
use crate::states::chance::{Chance, hex};
use crate::states::limits::depth_of;
use crate::states::time::Timestamp;

type Answer = Result<JValue, EvaluatorError>;

/// The most items that `$range` gives, as `States.ArrayRange` does.
const MAX_RANGE: usize = 1000;

/// Makes the functions known to an evaluator.
pub(super) fn register(evaluator: &mut Evaluator, now: Timestamp, chance: Chance) {
    let chance = Rc::new(RefCell::new(chance));
    let for_uuid = Rc::clone(&chance);
    // A name is refused only if it is a built-in that takes part in the engine's fast path. None of these is; the test
    // that calls every one of them would notice.
    let _ = evaluator.register_fn("parse", |args: &[JValue]| parse(args));
    let _ = evaluator.register_fn("partition", |args: &[JValue]| partition(args));
    let _ = evaluator.register_fn("range", |args: &[JValue]| range(args));
    let _ = evaluator.register_fn("hash", |args: &[JValue]| hash(args));
    let _ =
        evaluator.register_fn("uuid", move |_: &[JValue]| Ok(JValue::string(for_uuid.borrow_mut().uuid())));
    let _ = evaluator.register_fn_override("random", move |args: &[JValue]| random(args, &chance));
    let _ = evaluator.register_fn_override("now", move |args: &[JValue]| {
        if !args.is_empty() {
            return Err(failed(
                "T0410: $now with a picture is not implemented; use $fromMillis($millis(), …)",
            ));
        }
        Ok(JValue::string(now.to_iso()))
    });
    let _ = evaluator.register_fn_override("millis", move |_: &[JValue]| Ok(JValue::from(now.millis())));
    let _ = evaluator.register_fn_override("eval", |_: &[JValue]| Err(failed("D3120: $eval is not allowed")));
}

/// `$parse(text)`: JSON to a value.
fn parse(args: &[JValue]) -> Answer {
    let [text] = args else { return Err(failed("T0410: $parse takes one argument")) };
    if text.is_undefined() {
        return Ok(JValue::Undefined);
    }
    let text = text.as_str().ok_or_else(|| failed("T0410: $parse takes a string"))?;
    let value: Value = serde_json::from_str(text).map_err(|_| failed("D3121: $parse was given no JSON"))?;
    if depth_of(&value) > DEPTH_LIMIT {
        return Err(failed("D3121: $parse was given JSON that is nested too deep"));
    }
    Ok(JValue::from(value))
}

/// `$partition(array, size)`: the array in pieces of at most `size` items.
fn partition(args: &[JValue]) -> Answer {
    let [items, size] = args else { return Err(failed("T0410: $partition takes an array and a size")) };
    if items.is_undefined() {
        return Ok(JValue::Undefined);
    }
    let size = usize::try_from(whole(size)?).ok().filter(|size| *size > 0);
    let size = size.ok_or_else(|| failed("D3130: the size given to $partition is not positive"))?;
    let pieces = match items.as_array() {
        Some(items) => items.chunks(size).map(|piece| JValue::array(piece.to_vec())).collect(),
        // One item stands for a list of one everywhere in JSONata.
        None => vec![JValue::array(vec![items.clone()])],
    };
    Ok(JValue::array(pieces))
}

/// `$range(first, last, delta)`: whole numbers, the last included.
fn range(args: &[JValue]) -> Answer {
    let [first, last, delta] = args else {
        return Err(failed("T0410: $range takes a first item, a last item and a delta"));
    };
    let (first, last, delta) = (whole(first)?, whole(last)?, whole(delta)?);
    if delta == 0 {
        return Err(failed("D3130: the delta given to $range is 0"));
    }
    let mut items = Vec::new();
    let mut next = Some(first);
    while let Some(item) = next.filter(|item| if delta > 0 { *item <= last } else { *item >= last }) {
        if items.len() == MAX_RANGE {
            return Err(failed("D2014: $range gives at most 1000 items"));
        }
        items.push(JValue::from(item));
        next = item.checked_add(delta);
    }
    Ok(JValue::array(items))
}

/// `$hash(text, algorithm)`: the digest in hexadecimal digits.
fn hash(args: &[JValue]) -> Answer {
    let [content, algorithm] = args else {
        return Err(failed("T0410: $hash takes a string and an algorithm"));
    };
    if content.is_undefined() {
        return Ok(JValue::Undefined);
    }
    let content = content.as_str().ok_or_else(|| failed("T0410: $hash takes a string"))?;
    let digest = match algorithm.as_str() {
        Some("SHA-256") => hex(&Sha256::digest(content)),
        Some("SHA-384") => hex(&Sha384::digest(content)),
        Some("SHA-512") => hex(&Sha512::digest(content)),
        Some("MD5" | "SHA-1") => return Err(failed("D3130: $hash by MD5 and SHA-1 is not implemented")),
        _ => return Err(failed("D3130: $hash does not know this algorithm")),
    };
    Ok(JValue::string(digest))
}

/// `$random()` or `$random(seed)`: a number from 0, inclusive, to 1, exclusive; the same for the same seed.
fn random(args: &[JValue], chance: &RefCell<Chance>) -> Answer {
    let fraction = match args {
        [] => chance.borrow_mut().fraction(),
        [seed] => Chance::from_seed(Sha256::digest(whole(seed)?.to_be_bytes()).into()).fraction(),
        _ => return Err(failed("T0410: $random takes at most one argument")),
    };
    Ok(JValue::from_f64(fraction))
}

fn whole(value: &JValue) -> Result<i64, EvaluatorError> {
    let whole = value.as_f64().filter(|number| number.fract() == 0.0).and_then(|_| value.as_i64());
    whole.ok_or_else(|| failed("T0410: an argument is not a whole number"))
}

fn failed(message: &str) -> EvaluatorError {
    EvaluatorError::EvaluationError(message.to_owned())
}
