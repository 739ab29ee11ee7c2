//! The stories of executions, remembered, because a history of 10,000 events is not read anew each time that a page asks
//! how it goes: it only grows, and only what is new is fetched. Inputs and outputs are left out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use aws_sdk_sfn::types::HistoryEvent;

use super::story::Story;
use crate::error::of_aws;
use crate::target::Target;

/// As many stories are remembered; then all are forgotten.
const REMEMBERED: usize = 200;
/// Events on a page: the most that Step Functions gives, and how many are expected to be new.
const PAGE: i32 = 1000;
const NEW: i32 = 50;

type Remembered = Arc<tokio::sync::Mutex<Arc<Story>>>;

/// The stories of late.
#[derive(Default)]
pub(in super::super) struct Stories(Mutex<HashMap<String, Remembered>>);

impl Stories {
    /// What happened in an execution so far.
    pub(super) async fn of(&self, target: &Target, arn: &str) -> anyhow::Result<Arc<Story>> {
        let remembered = self.remembered(arn);
        // Who asks for the same waits, and then has less to read.
        let mut story = remembered.lock().await;
        let news = if story.last_event == 0 {
            whole(target, arn).await?
        } else {
            since(target, arn, story.last_event).await?
        };
        if !news.is_empty() {
            Arc::make_mut(&mut story).go_on(&news);
        }
        Ok(Arc::clone(&story))
    }

    fn remembered(&self, arn: &str) -> Remembered {
        let mut stories = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if stories.len() >= REMEMBERED && !stories.contains_key(arn) {
            stories.clear();
        }
        Arc::clone(stories.entry(arn.to_owned()).or_default())
    }
}

async fn whole(target: &Target, arn: &str) -> anyhow::Result<Vec<HistoryEvent>> {
    target
        .sfn
        .get_execution_history()
        .execution_arn(arn)
        .include_execution_data(false)
        .into_paginator()
        .page_size(PAGE)
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .map_err(of_aws)
        .with_context(|| format!("failed to read the history of {arn}"))
}

/// The events after `last`, read from the end.
async fn since(target: &Target, arn: &str, last: i64) -> anyhow::Result<Vec<HistoryEvent>> {
    let mut news: Vec<HistoryEvent> = Vec::new();
    let mut token = None;
    loop {
        let page = target
            .sfn
            .get_execution_history()
            .execution_arn(arn)
            .include_execution_data(false)
            .reverse_order(true)
            .max_results(if token.is_none() { NEW } else { PAGE })
            .set_next_token(token)
            .send()
            .await
            .map_err(of_aws)
            .with_context(|| format!("failed to read the history of {arn}"))?;
        let is_enough = page.events.last().is_none_or(|event| event.id <= last + 1);
        news.extend(page.events.into_iter().filter(|event| event.id > last));
        token = page.next_token;
        if is_enough || token.is_none() {
            news.reverse();
            return Ok(news);
        }
    }
}
