//! Which request gets what.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::Request;
use axum::http::header;
use axum::http::uri::Authority;
use tokio::sync::watch;

use super::Answer;
use crate::wait;

/// A request, as far as it is told apart. Its body may hold a task token and is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The operation of a JSON service, such as `AWSStepFunctions.SendTaskHeartbeat`; empty for S3.
    pub operation: String,
    /// `GET`, `PUT`, …
    pub method: String,
    /// The path, such as `/baton/uploads/people.csv`.
    pub path: String,
    /// The range that was asked for, where one was.
    pub range: Option<String>,
}

impl Asked {
    pub(super) fn of(request: &Request) -> Self {
        let value = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        Self {
            operation: value("x-amz-target").unwrap_or_default().to_owned(),
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            range: value(header::RANGE.as_str()).map(str::to_owned),
        }
    }

    /// Whether Step Functions was asked for this, such as `SendTaskSuccess`.
    #[must_use]
    pub fn is(&self, operation: &str) -> bool {
        self.operation.strip_prefix("AWSStepFunctions.") == Some(operation)
    }

    /// Whether an object of this key was to be read.
    #[must_use]
    pub fn reads(&self, key: &str) -> bool {
        self.method == "GET" && self.path.ends_with(&format!("/{key}"))
    }
}

type Chosen = Box<dyn Fn(&Asked) -> bool + Send>;

enum Then {
    Answer(Answer),
    Hold(watch::Sender<bool>, watch::Receiver<bool>),
}

struct Rule {
    chosen: Chosen,
    then: Then,
    times: Option<usize>,
}

#[derive(Default)]
struct State {
    target: Option<Authority>,
    rules: Vec<Rule>,
    asked: Vec<Asked>,
}

#[derive(Default)]
pub(super) struct Rules(Mutex<State>);

/// What becomes of a request.
pub(super) enum Verdict<F> {
    PassOn,
    Hold(Holding<F>),
    Answer(Answer),
}

/// A request that is held back: `release` ends when it may go on.
pub(super) struct Holding<F> {
    pub(super) release: F,
}

/// A request to be held back. It goes on when it is released, or this is dropped.
pub struct Held {
    arrived: watch::Receiver<bool>,
    released: watch::Sender<bool>,
}

impl Held {
    /// Waits until the request has come.
    pub async fn arrived(&self) {
        let look = async || *self.arrived.borrow();
        wait::until("a request to be held back", look, |arrived| *arrived).await;
    }

    /// Lets the request go on.
    pub fn release(self) {
        self.released.send_replace(true);
    }
}

impl Rules {
    pub(super) fn pass_to(&self, target: Authority) {
        self.state().target = Some(target);
    }

    pub(super) fn target(&self) -> Option<Authority> {
        self.state().target.clone()
    }

    pub(super) fn add(
        &self,
        chosen: impl Fn(&Asked) -> bool + Send + 'static,
        answer: Answer,
        times: Option<usize>,
    ) {
        self.state().rules.push(Rule { chosen: Box::new(chosen), then: Then::Answer(answer), times });
    }

    pub(super) fn hold(&self, chosen: impl Fn(&Asked) -> bool + Send + 'static) -> Held {
        let (arrives, arrived) = watch::channel(false);
        let (released, release) = watch::channel(false);
        let then = Then::Hold(arrives, release);
        self.state().rules.push(Rule { chosen: Box::new(chosen), then, times: Some(1) });
        Held { arrived, released }
    }

    pub(super) fn clear(&self) {
        self.state().rules.clear();
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// Writes the request down, and says what becomes of it: the first rule that chooses it decides.
    pub(super) fn judge(&self, asked: &Asked) -> Verdict<impl Future<Output = ()> + Send + use<>> {
        let mut state = self.state();
        state.asked.push(asked.clone());
        let Some(met) = state.rules.iter().position(|rule| (rule.chosen)(asked)) else {
            return Verdict::PassOn;
        };
        let rule = &mut state.rules[met];
        let verdict = match &rule.then {
            Then::Answer(answer) => Verdict::Answer(*answer),
            Then::Hold(arrives, release) => {
                arrives.send_replace(true);
                let mut release = release.clone();
                // An error means that the handle is gone.
                Verdict::Hold(Holding { release: async move { drop(release.wait_for(|go| *go).await) } })
            }
        };
        rule.times = rule.times.map(|times| times - 1);
        if rule.times == Some(0) {
            state.rules.remove(met);
        }
        verdict
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
