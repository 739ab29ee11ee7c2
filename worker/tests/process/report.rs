//! A report that Step Functions takes, whatever the database says of the rows.

use serde_json::json;
use statemachine::{ImportResult, MAX_OUTPUT_BYTES, Report};

use super::run_worker;
use crate::import::world::World;
use crate::step_functions::{Answer, Call};

/// What Step Functions makes of a report.
fn as_step_functions(call: &Call) -> Answer {
    let output = call.body["output"].as_str().unwrap_or_default();
    if output.len() > MAX_OUTPUT_BYTES { Answer::Error("InvalidOutput") } else { Answer::Taken }
}

#[test]
fn rejects_by_a_check_of_250_codes_make_a_report_that_is_taken() {
    let codes: Vec<_> = (100..350).map(|code| format!("'code-{code}'")).collect();
    let check = format!("CREATE TABLE t (id int, code text CHECK (code IN ({})))", codes.join(", "));
    for world in World::both(&check) {
        // A hundred bad rows among 900 good ones.
        let rows: String = (0..1000)
            .map(|id| format!("{id},code-{}\n", if id % 10 == 0 { 999 } else { 100 + id % 250 }))
            .collect();
        world.put("t.csv", format!("id,code\n{rows}").as_bytes());
        let ended = run_worker(&world, ("i", "t.csv", "t"), &json!({"max_rejects": 200}), as_step_functions);
        let operations: Vec<_> = ended.reports.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!((operations, ended.exit), (vec!["SendTaskSuccess"], Some(0)), "{}", ended.log);
        let report: Report<ImportResult> = serde_json::from_str(&ended.told()).unwrap();
        let report = report.result;
        let findings = &report.findings;
        assert_eq!(
            (report.rows, report.rejects, findings.rows_read, world.count("t")),
            (900, 100, 1000, 900)
        );
        assert_eq!(findings.reasons.values().sum::<u64>(), 100);
        assert_eq!(findings.rejects_file.as_ref().unwrap().rows, 100);
        let lines: Vec<_> = findings.first_rejects.iter().map(|reject| reject.line).collect();
        assert_eq!(lines, (0..100).map(|reject| 2 + 10 * reject).collect::<Vec<_>>());
    }
}
