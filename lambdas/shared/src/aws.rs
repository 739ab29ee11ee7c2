//! How a function talks to AWS: one HTTP client on rustls with ring, and little patience, because a message that is
//! left comes again by itself while a function that runs out of time fails its whole batch.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a function waits for AWS. All calls of a message together must stay below the function's timeout.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a call with all its attempts.
    pub call: Duration,
    /// For one attempt.
    pub attempt: Duration,
}

/// The SDK's configuration from the environment, with the function's client, timeouts and retries.
pub fn loader(patience: Patience) -> ConfigLoader {
    let client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .operation_timeout(patience.call)
        .operation_attempt_timeout(patience.attempt)
        .connect_timeout(CONNECT_TIMEOUT)
        .build();
    let retries = RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(100))
        .with_max_backoff(Duration::from_millis(400));
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(client)
        .timeout_config(timeouts)
        .retry_config(retries)
}
