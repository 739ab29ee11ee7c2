//! How the tests' own clients reach a stack.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_sfn::config::{Credentials, Region};
use local_stack::{REGION, Session};

/// The configuration of a client of a stack that is up.
pub async fn config(session: &Session) -> SdkConfig {
    let keys = &session.credentials;
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(worker::aws::http_client())
        .endpoint_url(&session.endpoint)
        .region(Region::from_static(REGION))
        .credentials_provider(Credentials::new(&keys.access_key, &keys.secret_key, None, None, "test"))
        .load()
        .await
}
