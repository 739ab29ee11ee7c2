//! `baton dlq`: the dead-letter queue, listed, shown, moved back and cleared.

mod drop;
mod list;
mod move_back;

use std::process::ExitCode;

use ops::dlq::queue;
use ops::target::{Need, Target};

use crate::arguments::{Common, DlqVerb};
use crate::signals::Signals;

/// Queues answer whether executions move or not: a stack inside this command need only look.
pub(crate) async fn dlq(common: &Common, verb: &DlqVerb) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let target = Target::open(&common.choice, Need::Look).await?;
    let acting = async {
        match verb {
            DlqVerb::List(arguments) => list::list(common, &target, &arguments.filters).await,
            DlqVerb::Show(arguments) => list::show(common, &target, arguments).await,
            DlqVerb::Redrive(arguments) => move_back::move_back(common, &target, arguments).await,
            DlqVerb::Drop(arguments) => drop::drop(common, &target, arguments).await,
        }
    };
    let ended = tokio::select! {
        ended = Box::pin(acting) => ended,
        () = signals.received() => Err(anyhow::anyhow!(
            "interrupted; messages that were looked at come back within {} s", queue::HOLD_S
        )),
    };
    target.close().await;
    ended
}
