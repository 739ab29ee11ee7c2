//! Expressions as the definitions use them, and the limits around them.

use serde_json::json;

use super::*;

fn session(states: Value, variables: Value) -> Session {
    let Value::Object(variables) = variables else { panic!("variables are an object") };
    let now = Timestamp::from_millis(1_795_428_000_250);
    Session::new(states, &variables, now, &mut Chance::from_seed([1; 32]))
}

fn evaluate(source: &str) -> Result<Value, EvaluationError> {
    let expression = Expression::parse("Output", source, Place::State).unwrap();
    let states =
        json!({"input": {"a": [1, 2, {"b": "x"}], "secret": "s3cr3t"}, "context": {"State": {"Name": "S"}}});
    session(states, json!({"name": {"k": [true]}})).evaluate(&expression)
}

fn value(source: &str) -> Value {
    evaluate(source).unwrap()
}

fn cause(source: &str) -> String {
    evaluate(source).unwrap_err().cause
}

#[test]
fn states_and_variables_are_reached_by_name() {
    assert_eq!(value("$states.input.a[2].b"), json!("x"));
    assert_eq!(value("$states.context.State.Name"), json!("S"));
    assert_eq!(value("$name.k"), json!([true]));
    assert_eq!(value("$string($name)"), json!(r#"{"k":[true]}"#));
}

#[test]
fn whole_numbers_stay_whole() {
    assert_eq!(value("3600").to_string(), "3600");
    assert_eq!(value("1/4").to_string(), "0.25");
    assert_eq!(value("1e300 * 10"), json!(1e301));
}

#[test]
fn null_is_a_value_and_undefined_is_not() {
    assert_eq!(value("null"), Value::Null);
    assert_eq!(value("{'a': null, 'b': $states.input.missing}"), json!({"a": null}));
    assert_eq!(
        cause("$states.input.missing"),
        "The JSONata expression '$states.input.missing' specified for the field 'Output' returned nothing (undefined)."
    );
    assert!(cause("$unknown").contains("returned nothing"));
    assert!(cause("$").contains("returned nothing"));
}

#[test]
fn an_error_names_its_code_and_never_a_value() {
    let cause = cause("$number($states.input.secret)");
    assert!(cause.ends_with("threw an error during evaluation: D3030."), "{cause}");
    assert!(!cause.contains("s3cr3t"));
    let cause = self::cause("$error($states.input.secret)");
    assert!(cause.ends_with("threw an error during evaluation: D3137."), "{cause}");
    assert!(!cause.contains("s3cr3t"));
}

#[test]
fn a_function_is_no_result() {
    assert!(cause("function($x){$x}").contains("function"));
    assert!(cause("{'f': $sum}").contains("function"));
    assert!(cause("/a/").contains("function"));
}

#[test]
fn an_expression_that_does_not_end_is_ended() {
    assert!(cause("($f := function(){ $f() }; $f())").contains("took longer than 1000 ms"));
    assert!(cause("($f := function($n){ 1 + $f($n + 1) }; $f(0))").contains("D1011"));
}

#[test]
fn step_functions_own_functions_work() {
    assert_eq!(value(r#"$parse('{"a": [1]}').a"#), json!([1]));
    assert!(cause("$parse('{')").contains("D3121"));
    assert_eq!(value("$partition([1, 2, 3, 4, 5], 2)"), json!([[1, 2], [3, 4], [5]]));
    assert!(cause("$partition([1], 0)").contains("D3130"));
    assert_eq!(value("$range(0, 9, 3)"), json!([0, 3, 6, 9]));
    assert_eq!(value("$range(3, 1, -1)"), json!([3, 2, 1]));
    assert!(cause("$range(0, 1000, 1)").contains("D2014"));
    assert_eq!(
        value("$hash('abc', 'SHA-256')"),
        json!("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    );
    assert!(cause("$hash('abc', 'MD5')").contains("D3130"));
    assert_eq!(value("$random(17) = $random(17)"), json!(true));
    assert_eq!(value("$random() != $random()"), json!(true));
    assert_eq!(value("$length($uuid())"), json!(36));
    assert_eq!(value("$uuid() != $uuid()"), json!(true));
}

#[test]
fn the_clock_is_the_steps_own() {
    assert_eq!(value("$now()"), json!("2026-11-23T10:00:00.250Z"));
    assert_eq!(value("$millis()"), json!(1_795_428_000_250_i64));
    assert_eq!(value("$fromMillis($millis(), '[Y]')"), json!("2026"));
}

#[test]
fn eval_is_refused_however_it_is_written() {
    for source in [
        "$eval('1')",
        "($e := $eval; $e('1'))",
        "[1].{'a': $map(['1'], $eval)}",
        "$f(function($x){$eval($x)})",
    ] {
        let error = Expression::parse("Output", source, Place::State).unwrap_err();
        assert_eq!(error, "field Output: $eval is not allowed; use $parse for JSON", "{source}");
    }
}

#[test]
fn only_what_states_has_at_a_place_may_be_used() {
    let parse = |source, place| Expression::parse("Output", source, place).map(|_| ());
    assert_eq!(parse("$states.result", Place::Result), Ok(()));
    assert_eq!(parse("$states.errorOutput.Cause", Place::Catch), Ok(()));
    let error = parse("$exists($states.result.a)", Place::State).unwrap_err();
    assert_eq!(error, "field Output: $states.result does not exist here");
    assert!(parse("$states.errorOutput", Place::Result).is_err());
    assert!(parse("$states.result", Place::Catch).is_err());
}

#[test]
fn a_template_is_evaluated_wherever_an_expression_stands() {
    let template = json!({"a": "plain", "b": ["{% $states.input %}", {"c": "{% 1 + 1 %}"}], "d": 7});
    let template = Template::parse("Arguments", template, Place::State).unwrap();
    let evaluated = template.evaluate(&mut session(json!({"input": {"x": 1}}), json!({}))).unwrap();
    assert_eq!(evaluated, json!({"a": "plain", "b": [{"x": 1}, {"c": 2}], "d": 7}));
}

#[test]
fn a_template_names_the_field_of_a_fault() {
    let parse = |value| Template::parse("Arguments", value, Place::State);
    let error = parse(json!({"a": [1, "{% ( %}"]})).unwrap_err();
    assert!(error.starts_with("field Arguments/a[1]: \"(\" is not JSONata"), "{error}");
    assert!(parse(json!("{% 1")).unwrap_err().contains("opens or closes"));
    assert!(parse(json!(" {% 1 %}")).unwrap_err().contains("opens or closes"));
    let template = parse(json!({"a": [1, "{% $states.input.y %}"]})).unwrap();
    let error = template.evaluate(&mut session(json!({"input": {}}), json!({}))).unwrap_err();
    assert_eq!(error.location, "Arguments/a[1]");
}

#[test]
fn an_expression_of_any_depth_harms_nobody() {
    // What must not happen is that the end of this thread's stack ends the process.
    for (before, after) in [
        ("(", ")"),
        ("[", "]"),
        ("-", ""),
        ("1+", ""),
        ("'a'&", ""),
        ("1?1:", ""),
        ("a[", "]"),
        ("{'a':", "}"),
        ("$string(", ")"),
        ("function($x){", "}"),
    ] {
        let nested = |depth: usize| before.repeat(depth) + "1" + &after.repeat(depth);
        let refused = Expression::parse("Output", &nested(100_000), Place::State).unwrap_err();
        assert!(refused.contains("nesting depth"), "{before}: {refused}");
        assert!(refused.len() < 1000);
        let taken = Expression::parse("Output", &nested(300), Place::State).unwrap();
        let outcome = session(json!({}), json!({})).evaluate(&taken);
        // Too deep for JSON, a function, or nothing at all.
        let has_no_value = matches!(before, "[" | "{'a':" | "function($x){" | "a[");
        assert_eq!(outcome.is_err(), has_no_value, "{before}");
    }
}
