//! The database is away, breaks off, or refuses for a while. Whatever the moment, the rows are there once in the end.

use diesel::connection::SimpleConnection as _;
use e2e::link::{Direction, Fault, has};
use e2e::stack::Sent;
use e2e::{Backend, TestStack, rows};
use serde_json::json;

use super::{KEY, MANY, people, submit, submit_to_stalled_link, succeeds};

const UNAVAILABLE: &str = "Import.DatabaseUnavailable";
const PEOPLE: &str = "CREATE TABLE people (id bigint PRIMARY KEY, name varchar(40) NOT NULL)";

async fn behind_link() -> TestStack {
    TestStack::with(Backend::Postgres).database_behind_link().start().await
}

/// Asks for the import of a file and into a table that are there already.
async fn describe(stack: &TestStack, import_id: &str) -> Sent {
    let source = format!("s3://{}/{KEY}", stack.resources.bucket).parse().unwrap();
    stack.describe(import_id, &source, "people", json!({})).await
}

/// The COMMIT of the import: the first one after a COPY.
fn commit_of_rows() -> impl FnMut(&[u8]) -> bool + Send {
    let (mut is_copy, mut is_commit) = (has("COPY "), has("COMMIT"));
    let mut has_copied = false;
    move |bytes| {
        has_copied |= is_copy(bytes);
        has_copied && is_commit(bytes)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_down_at_the_start_is_tried_again() {
    let stack = behind_link().await;
    stack.link().refuse().await;
    let sent = submit(&stack, "down", 3).await;
    assert_eq!(stack.errors_when(&sent.execution_arn, 1).await, [UNAVAILABLE]);
    stack.link().accept();
    // Nothing was claimed while it was down.
    succeeds(stack, &sent, 3, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_lost_in_the_load_is_tried_again() {
    let stack = behind_link().await;
    let sent = submit_to_stalled_link(&stack, "lost").await;
    stack.link().cut();
    stack.link().resume();
    assert_eq!(stack.errors_when(&sent.execution_arn, 1).await, [UNAVAILABLE]);
    succeeds(stack, &sent, MANY, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_lost_on_its_way_to_the_database_is_rolled_back_and_tried_again() {
    let stack = behind_link().await;
    stack.link().once(Direction::ToServer, commit_of_rows(), Fault::Cut);
    let sent = submit(&stack, "uncommitted", 3).await;
    assert_eq!(stack.errors_when(&sent.execution_arn, 1).await, [UNAVAILABLE]);
    stack.link().faults(1).await;
    succeeds(stack, &sent, 3, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_looked_up_in_the_row_and_reported() {
    let stack = behind_link().await;
    stack.link().once(Direction::ToServer, commit_of_rows(), Fault::CutAtAnswer);
    let sent = submit(&stack, "committed", 3).await;
    stack.ended(&sent.execution_arn).await;
    stack.link().faults(1).await;
    assert!(stack.errors(&sent.execution_arn).await.is_empty());
    succeeds(stack, &sent, 3, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_with_the_database_is_looked_up_by_the_next_attempt() {
    let stack = behind_link().await;
    stack.link().once(Direction::ToServer, commit_of_rows(), Fault::GoneAtAnswer);
    let sent = submit(&stack, "unknown", 3).await;
    assert_eq!(stack.errors_when(&sent.execution_arn, 1).await, [UNAVAILABLE]);
    stack.link().accept();
    succeeds(stack, &sent, 3, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_whose_answer_is_lost_is_made_again_by_the_same_worker() {
    let stack = behind_link().await;
    stack.link().once(Direction::ToServer, has("COMMIT"), Fault::CutAtAnswer);
    let sent = submit(&stack, "claimed", 3).await;
    stack.ended(&sent.execution_arn).await;
    assert!(stack.errors(&sent.execution_arn).await.is_empty());
    assert_eq!(stack.link().armed(), 0);
    // Both claims are in the row, and one container made them.
    succeeds(stack, &sent, 3, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_at_two_claims_in_a_row_fails_the_attempt() {
    let stack = behind_link().await;
    for _ in 0..2 {
        stack.link().once(Direction::ToServer, has("COMMIT"), Fault::CutAtAnswer);
    }
    let sent = submit(&stack, "claimed-twice", 3).await;
    stack.ended(&sent.execution_arn).await;
    assert_eq!(stack.errors(&sent.execution_arn).await, ["Import.DatabaseUnavailable"]);
    assert_eq!(stack.link().armed(), 0);
    succeeds(stack, &sent, 3, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_read_only_is_tried_again() {
    let stack = TestStack::start(Backend::Postgres).await;
    // A session from before does not become read-only.
    let mut operator = stack.database.connect().unwrap();
    let name = rows::texts(&stack.database, "SELECT current_database()::text AS value").remove(0);
    let set = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    operator.batch_execute(&set).unwrap();
    stack.put(KEY, people(3)).await;
    operator.batch_execute(PEOPLE).unwrap();
    let sent = describe(&stack, "read-only").await;
    assert_eq!(stack.errors_when(&sent.execution_arn, 1).await, [UNAVAILABLE]);
    operator.batch_execute(&format!("ALTER DATABASE {name} RESET ALL")).unwrap();
    succeeds(stack, &sent, 3, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_disk_is_full_is_tried_again() {
    // What PostgreSQL says, under the same SQLSTATE.
    let trigger = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         RAISE EXCEPTION 'could not extend file \"base/1/2\": No space left on device' USING ERRCODE = '53100'; \
         END $$; \
         CREATE TRIGGER full_disk BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION full_disk()";
    let stack = TestStack::start(Backend::Postgres).await;
    let mut operator = stack.database.connect().unwrap();
    operator.batch_execute(&format!("{PEOPLE}; {trigger}")).unwrap();
    stack.put(KEY, people(3)).await;
    let sent = describe(&stack, "full").await;
    assert_eq!(stack.errors_when(&sent.execution_arn, 1).await, [UNAVAILABLE]);
    operator.batch_execute("DROP TRIGGER full_disk ON people").unwrap();
    succeeds(stack, &sent, 3, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_with_too_many_connections_is_tried_again() {
    // Roles are the cluster's, which other tests share.
    const ROLE: &str = "of_few_connections";
    let stack = TestStack::with(Backend::Postgres).worker_logs_in_as(ROLE).start().await;
    let mut operator = stack.database.connect().unwrap();
    operator.batch_execute(PEOPLE).unwrap();
    let role = format!(
        "CREATE ROLE {ROLE} LOGIN CONNECTION LIMIT 0; GRANT ALL ON ALL TABLES IN SCHEMA public TO {ROLE}; \
         GRANT USAGE ON SCHEMA baton_ledger TO {ROLE}; GRANT ALL ON ALL TABLES IN SCHEMA baton_ledger TO {ROLE}"
    );
    operator.batch_execute(&role).unwrap();
    stack.put(KEY, people(3)).await;
    let sent = describe(&stack, "crowded").await;
    assert_eq!(stack.errors_when(&sent.execution_arn, 1).await, [UNAVAILABLE]);
    operator.batch_execute(&format!("ALTER ROLE {ROLE} CONNECTION LIMIT -1")).unwrap();
    succeeds(stack, &sent, 3, 1).await;
}
