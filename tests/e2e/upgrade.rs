//! An upgrade while imports run: the worker of the version before, built from this repository's own history, and this one's,
//! side by side.

mod fleet;
mod inputs;
mod migration;

use e2e::{Backend, Deployment, Sent, TestStack, Version};

use crate::faults::{submit_to_slow_table, submit_to_stalled_link};

/// An import that a worker of this version is met at, in the middle of its load.
async fn under_way(backend: Backend, schema: Version, first: Version) -> (Deployment, TestStack, Sent) {
    let deployment = Deployment::of(first);
    let setup = TestStack::with(backend).schema_of(schema).config(|config| deployment.runs_in(config));
    let (stack, sent) = if backend == Backend::Sqlite {
        let stack = setup.start().await;
        let sent = submit_to_slow_table(&stack, "under-way").await;
        (stack, sent)
    } else {
        let stack = setup.database_behind_link().start().await;
        let sent = submit_to_stalled_link(&stack, "under-way").await;
        (stack, sent)
    };
    assert_eq!(stack.workers_of(first).len(), 1);
    (deployment, stack, sent)
}
