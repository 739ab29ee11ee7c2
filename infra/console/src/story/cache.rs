//! The stories of executions, remembered, because a history of 10,000 events is not read anew each time that a page asks
//! how it goes: it only grows, and only what is new is fetched. Inputs and outputs are left out. A long history is read on
//! while the page shows what is known of it so far.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::operation::get_execution_history::GetExecutionHistoryOutput;
use aws_sdk_sfn::operation::get_execution_history::builders::GetExecutionHistoryFluentBuilder;
use aws_sdk_sfn::types::HistoryEvent;
use ops::error::of_aws;
use ops::target::Target;
use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use crate::story::Story;

/// As many stories are remembered; then all are forgotten.
const REMEMBERED: usize = 200;
/// Events on a page: the most that Step Functions gives, and how many are expected to be new.
const PAGE: i32 = 1000;
const NEW: i32 = 50;
/// How long a page of the console waits for a history to be read.
const PATIENCE: Duration = Duration::from_millis(50);

/// The stories of late.
#[derive(Default)]
pub(crate) struct StoryCache(Mutex<HashMap<String, Arc<Remembered>>>);

/// What is known of an execution.
#[derive(Clone, Default)]
pub(crate) struct KnownStory {
    pub(crate) story: Arc<Story>,
    /// Whether it has been read to its end once; before, `next` is where it is to be read on.
    pub(crate) is_whole: bool,
    next: Option<String>,
}

#[derive(Default)]
struct Remembered {
    known: Mutex<KnownStory>,
    /// Whoever reads on holds it.
    reading: Arc<tokio::sync::Mutex<()>>,
}

impl StoryCache {
    /// What happened in an execution so far, as far as it can be read in a moment.
    pub(crate) async fn of(&self, target: &Target, arn: &str) -> anyhow::Result<KnownStory> {
        let remembered = self.remembered(arn);
        match Arc::clone(&remembered.reading).try_lock_owned() {
            Ok(reading) => {
                let reader = Arc::clone(&remembered).read_on(target.sfn.clone(), arn.to_owned(), reading);
                // Where the page does not wait any longer, the next one finds what was read meanwhile.
                if let Ok(read) = timeout(PATIENCE, tokio::spawn(reader)).await {
                    read.context("reading a history ended early")??;
                }
            }
            Err(_) => drop(timeout(PATIENCE, remembered.reading.lock()).await),
        }
        Ok(remembered.known().clone())
    }

    fn remembered(&self, arn: &str) -> Arc<Remembered> {
        let mut stories = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if stories.len() >= REMEMBERED && !stories.contains_key(arn) {
            stories.clear();
        }
        Arc::clone(stories.entry(arn.to_owned()).or_default())
    }
}

impl Remembered {
    fn known(&self) -> MutexGuard<'_, KnownStory> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read_on(
        self: Arc<Self>,
        sfn: Client,
        arn: String,
        _reading: OwnedMutexGuard<()>,
    ) -> anyhow::Result<()> {
        while !self.known().is_whole {
            let next = self.known().next.clone();
            let page = page(history(&sfn, &arn).max_results(PAGE).set_next_token(next), &arn).await?;
            let mut known = self.known();
            Arc::make_mut(&mut known.story).go_on(&page.events);
            known.is_whole = page.next_token.is_none();
            known.next = page.next_token;
            if known.is_whole {
                return Ok(());
            }
        }
        let last = self.known().story.last_event;
        let news = since(&sfn, &arn, last).await?;
        if !news.is_empty() {
            Arc::make_mut(&mut self.known().story).go_on(&news);
        }
        Ok(())
    }
}

fn history(sfn: &Client, arn: &str) -> GetExecutionHistoryFluentBuilder {
    sfn.get_execution_history().execution_arn(arn).include_execution_data(false)
}

async fn page(
    asked: GetExecutionHistoryFluentBuilder,
    arn: &str,
) -> anyhow::Result<GetExecutionHistoryOutput> {
    asked.send().await.map_err(of_aws).with_context(|| format!("failed to read the history of {arn}"))
}

/// The events after `last`, read from the end.
async fn since(sfn: &Client, arn: &str, last: i64) -> anyhow::Result<Vec<HistoryEvent>> {
    let mut news: Vec<HistoryEvent> = Vec::new();
    let mut token = None;
    loop {
        let size = if token.is_none() { NEW } else { PAGE };
        let asked = history(sfn, arn).reverse_order(true).max_results(size).set_next_token(token);
        let page = page(asked, arn).await?;
        let is_enough = page.events.last().is_none_or(|event| event.id <= last + 1);
        news.extend(page.events.into_iter().filter(|event| event.id > last));
        token = page.next_token;
        if is_enough || token.is_none() {
            news.reverse();
            return Ok(news);
        }
    }
}
