//! The names that the console answers to. A page of another site can make a browser send requests here under its own name;
//! it cannot choose the name that stands in them.

use std::collections::HashSet;
use std::net::IpAddr;

use axum::http::{HeaderMap, StatusCode, header};

use super::Refusal;

const WRONG_NAME: Refusal = Refusal(
    StatusCode::FORBIDDEN,
    "The console is not called by this name. Use the address that it printed, or start it with --host-name.",
);

/// The console's own names.
pub(super) struct Hosts {
    local: IpAddr,
    /// In lower case.
    names: HashSet<String>,
}

impl Hosts {
    pub(super) fn new(local: IpAddr, host_names: &[String]) -> Self {
        let names = host_names.iter().map(|name| name.to_ascii_lowercase()).chain(["localhost".to_owned()]);
        Self { local, names: names.collect() }
    }

    /// Refuses a request that names another host, or none, or two. The port is not looked at: it is another where somebody
    /// reaches the console through a tunnel.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let name = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host.to_str().ok().and_then(name_of),
            _ => None,
        };
        match name {
            Some(name) if self.is_own(name) => Ok(()),
            _ => Err(WRONG_NAME),
        }
    }

    fn is_own(&self, name: &str) -> bool {
        match name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            // Where the console listens on all addresses of the machine, any of them may be meant. An address is no name
            // that could lead elsewhere.
            Ok(address) => address == self.local || self.local.is_unspecified(),
            Err(_) => self.names.contains(&name.to_ascii_lowercase()),
        }
    }
}

/// The name without its port.
fn name_of(host: &str) -> Option<&str> {
    let end = if host.starts_with('[') { host.find(']')? + 1 } else { host.find(':').unwrap_or(host.len()) };
    let (name, port) = host.split_at(end);
    let is_port = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(name)
}
