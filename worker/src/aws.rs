//! The AWS clients: one HTTP client with rustls on ring, and what differs between the services. Locally the same clients
//! speak to the embedded stack, by an endpoint in the environment.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_sfn::config::retry::RetryConfig;
use aws_sdk_sfn::config::timeout::TimeoutConfig;
use aws_sdk_sfn::config::{SharedHttpClient, StalledStreamProtectionConfig};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait for the beginning of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long one call to Step Functions may take: two of them fit between two beats.
const CALL_TIMEOUT: Duration = Duration::from_secs(8);

/// The configuration that every client is made of: region, credentials and endpoints as the SDK finds them.
pub async fn config() -> SdkConfig {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client())
        .timeout_config(timeouts)
        .load()
        .await
}

/// The HTTP client: HTTPS by rustls on ring, and HTTP where an endpoint says so.
#[must_use]
pub fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// A client of S3. With `path_style` the bucket is part of the path: a host on one's own machine has no subdomains.
#[must_use]
pub fn s3(config: &SdkConfig, path_style: bool) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(config).force_path_style(path_style).build();
    aws_sdk_s3::Client::from_conf(config)
}

/// A client of Step Functions. It does not repeat a call: beats and reports are repeated by their own clocks, and a
/// second clock underneath would only blur them.
#[must_use]
pub fn step_functions(config: &SdkConfig) -> aws_sdk_sfn::Client {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_timeout(CALL_TIMEOUT).build();
    let config = aws_sdk_sfn::config::Builder::from(config)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    aws_sdk_sfn::Client::from_conf(config)
}
