//! How queues are called: by name, URL and ARN.

/// Where this SQS lives.
pub(super) struct Names {
    endpoint: String,
    region: String,
    account: String,
}

impl Names {
    pub(super) fn new(endpoint: &str, region: &str, account: &str) -> Self {
        Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
        }
    }

    pub(super) fn account(&self) -> &str {
        &self.account
    }

    pub(super) fn url(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.endpoint, self.account)
    }

    pub(super) fn arn(&self, name: &str) -> String {
        format!("arn:aws:sqs:{}:{}:{name}", self.region, self.account)
    }

    /// The name in an ARN of this region and account.
    pub(super) fn in_arn<'a>(&self, arn: &'a str) -> Option<&'a str> {
        arn.strip_prefix(&self.arn("")).filter(|name| !name.is_empty())
    }
}

/// The last segment of a URL. The rest is not looked at: a URL that was stored in an earlier run of the stack may
/// name another port.
pub(super) fn in_url(url: &str) -> &str {
    url.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}
