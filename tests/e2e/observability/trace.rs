//! One trace from the sender of a message to the worker.

use e2e::{Backend, TestStack};

use super::{Lines, is_about};
use crate::clients;

/// The trace that the script sends its message in.
const TRACE_ID: &str = "1-5759e988-bd862e3fe1be46a994272793";

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_goes_from_the_sender_of_a_message_through_lambda_and_execution_to_the_worker() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    stack.put("uploads/traced.csv", "id,name\n1,a\n").await;
    stack.put("uploads/hostile.csv", "id,name\n2,b\n").await;
    // Sends two messages, and looks at the headers of their executions.
    clients::run(&stack, "boto3_trace.py").await;
    assert_eq!(stack.count("people"), 2);

    let function = Lines::of_the_function(&stack);
    let workers = Lines::of_the_workers(&stack).await;
    let traced: Vec<_> = function.with("trace_id", TRACE_ID).collect();
    let [line] = &traced[..] else { panic!("{traced:#?}") };
    assert_eq!((line["import_id"].as_str(), line["decision"].as_str()), (Some("traced"), Some("started")));
    let all = workers.iter().flat_map(|lines| &lines.0);
    for line in all {
        let import_id = line["import_id"].as_str().unwrap();
        let sent = e2e::stack::Sent {
            import_id: import_id.parse().unwrap(),
            execution_arn: line["execution"].as_str().unwrap().to_owned(),
        };
        assert!(is_about(line, &sent), "{line}");
        // What is no trace header is dropped, and the message goes on in the trace of the invocation.
        assert_eq!(line["trace_id"] == TRACE_ID, import_id == "traced", "{line}");
    }
    let decided = function.with("decision", "started").collect::<Vec<_>>();
    let hostile = decided.iter().find(|line| line["import_id"] == "hostile").unwrap();
    assert!(
        hostile["xrayTraceId"].as_str().unwrap().contains(hostile["trace_id"].as_str().unwrap()),
        "{hostile}"
    );
    stack.audit().await;
}
