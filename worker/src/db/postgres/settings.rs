//! What the parameters of a URL mean to the driver. They are libpq's, by libpq's names and in its units; one that is not
//! understood is refused by its name, since a setting that is passed over may be the one that keeps a secret.

use std::path::Path;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, LoadBalanceHosts, SslMode, SslNegotiation, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::InvalidDatabaseUrl;
use super::tls::{Files, Trust, connector};

/// A server that vanishes is noticed within a minute: while nothing is sent by the first three, while something is by the
/// last. That one ends a connection, too, whose server is there and takes no more bytes for so long, because it works on those
/// that it has: a session that is watched does without it.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_COUNT: u32 = 3;
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(60);

/// Where Debian's and most other packages have the server's socket.
const SOCKET_DIRECTORIES: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// The settings of a connection.
#[derive(Clone)]
pub(super) struct Settings {
    config: Config,
    /// Whether the URL says how long sent bytes may lie.
    names_user_timeout: bool,
    /// `None` where nothing is to be encrypted.
    trust: Option<Trust>,
    files: Files,
    /// Whether the URL names the host, which is looked for on this machine otherwise.
    names_host: bool,
}

impl Settings {
    /// Reads the parameters, the last of a name counting.
    pub(super) fn of(parameters: &[(String, String)]) -> Result<Self, InvalidDatabaseUrl> {
        let mut config = Config::new();
        config
            .application_name("baton-worker")
            .connect_timeout(super::CONNECT_TIMEOUT)
            .keepalives_idle(KEEPALIVE_IDLE)
            .keepalives_interval(KEEPALIVE_INTERVAL)
            .keepalives_retries(KEEPALIVE_COUNT)
            .tcp_user_timeout(TCP_USER_TIMEOUT);
        let last = |key: &str| {
            parameters.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
        };
        for (index, (key, value)) in parameters.iter().enumerate() {
            let is_last = !parameters.iter().skip(index + 1).any(|(later, _)| later == key);
            if is_last {
                set(&mut config, key, value)?;
            }
        }
        let names_host = last("host").is_some() || last("hostaddr").is_some();
        if !names_host {
            match SOCKET_DIRECTORIES
                .iter()
                .find(|directory| Path::new(directory).join(".s.PGSQL.5432").exists())
            {
                Some(directory) => config.host(*directory),
                None => config.host("localhost"),
            };
        }
        let files = Files {
            authorities: last("sslrootcert").filter(|file| *file != "system").map(str::to_owned),
            client: match (last("sslcert"), last("sslkey")) {
                (Some(certificate), Some(key)) => Some((certificate.to_owned(), key.to_owned())),
                (None, None) => None,
                _ => return Err(InvalidDatabaseUrl("sslcert and sslkey are only of use together")),
            },
        };
        let (mode, trust) = mode(last("sslmode").unwrap_or("prefer"), files.authorities.is_some())?;
        config.ssl_mode(mode);
        let names_user_timeout = last("tcp_user_timeout").is_some();
        Ok(Self { config, names_user_timeout, trust, files, names_host })
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// The settings of a session that is watched: only its watcher tells whether the server is at work.
    pub(super) fn of_watched(&self) -> Self {
        let mut settings = self.clone();
        if !settings.names_user_timeout {
            settings.config.tcp_user_timeout(Duration::ZERO);
        }
        settings
    }

    /// Whether the URL names a host.
    pub(super) fn names_host(&self) -> bool {
        self.names_host
    }

    /// How far the server is trusted; `None` where the connection is not encrypted.
    pub(super) fn trust(&self) -> Option<Trust> {
        self.trust
    }

    /// The TLS side of a connection.
    pub(super) fn tls(&self) -> Result<MakeRustlsConnect, String> {
        connector(self.trust.unwrap_or(Trust::Anybody), &self.files)
    }
}

/// Source: PostgreSQL's documentation, "Protection Provided in Different Modes".
fn mode(text: &str, has_authorities: bool) -> Result<(SslMode, Option<Trust>), InvalidDatabaseUrl> {
    Ok(match text {
        "disable" => (SslMode::Disable, None),
        "allow" | "prefer" => (SslMode::Prefer, Some(Trust::Anybody)),
        // As libpq has it: who names authorities means them.
        "require" if has_authorities => (SslMode::Require, Some(Trust::Authority)),
        "require" => (SslMode::Require, Some(Trust::Anybody)),
        "verify-ca" => (SslMode::Require, Some(Trust::Authority)),
        "verify-full" => (SslMode::Require, Some(Trust::Host)),
        _ => {
            return Err(InvalidDatabaseUrl(
                "sslmode is disable, allow, prefer, require, verify-ca or verify-full",
            ));
        }
    })
}

fn set(config: &mut Config, key: &str, value: &str) -> Result<(), InvalidDatabaseUrl> {
    match key {
        "user" => {
            config.user(value);
        }
        "password" => {
            config.password(value);
        }
        "dbname" => {
            config.dbname(value);
        }
        "options" => {
            config.options(value);
        }
        "application_name" => {
            config.application_name(value);
        }
        "host" => {
            for host in value.split(',') {
                config.host(host);
            }
        }
        "hostaddr" => {
            for address in value.split(',') {
                let address =
                    address.parse().map_err(|_| InvalidDatabaseUrl("hostaddr is not an IP address"))?;
                config.hostaddr(address);
            }
        }
        "port" => {
            for port in value.split(',') {
                let port = if port.is_empty() { Ok(5432) } else { port.parse() };
                config.port(
                    port.map_err(|_| InvalidDatabaseUrl("the port is not a number between 0 and 65535"))?,
                );
            }
        }
        "connect_timeout" => with(value, Duration::from_secs, |time| config.connect_timeout(time))?,
        "tcp_user_timeout" => {
            config.tcp_user_timeout(Duration::from_millis(time(value)?));
        }
        "keepalives" => {
            config.keepalives(value != "0");
        }
        "keepalives_idle" => with(value, Duration::from_secs, |time| config.keepalives_idle(time))?,
        "keepalives_interval" => with(value, Duration::from_secs, |time| config.keepalives_interval(time))?,
        "keepalives_count" => {
            let count = value.parse().map_err(|_| InvalidDatabaseUrl("keepalives_count is not a number"))?;
            config.keepalives_retries(count);
        }
        "target_session_attrs" => {
            config.target_session_attrs(session_attributes(value)?);
        }
        "channel_binding" => {
            config.channel_binding(channel_binding(value)?);
        }
        "load_balance_hosts" => {
            config.load_balance_hosts(balance(value)?);
        }
        "sslnegotiation" => {
            config.ssl_negotiation(negotiation(value)?);
        }
        // Read by themselves.
        "sslmode" | "sslrootcert" | "sslcert" | "sslkey" => {}
        // Kerberos is not spoken here, and this says that it need not be.
        "gssencmode" if value == "disable" || value == "prefer" => {}
        _ => {
            return Err(InvalidDatabaseUrl(
                "a parameter behind ? is not understood; understood are user, password, dbname, host, hostaddr, port, \
                 options, application_name, connect_timeout, tcp_user_timeout, keepalives and keepalives_idle, _interval \
                 and _count, target_session_attrs, load_balance_hosts, channel_binding, sslmode, sslnegotiation, \
                 sslrootcert, sslcert and sslkey",
            ));
        }
    }
    Ok(())
}

/// Sets a time that is not 0, which leaves it as it is without the parameter.
fn with<'c>(
    value: &str,
    unit: impl FnOnce(u64) -> Duration,
    set: impl FnOnce(Duration) -> &'c mut Config,
) -> Result<(), InvalidDatabaseUrl> {
    let number = time(value)?;
    if number > 0 {
        set(unit(number));
    }
    Ok(())
}

fn time(value: &str) -> Result<u64, InvalidDatabaseUrl> {
    value.parse().map_err(|_| InvalidDatabaseUrl("a time behind ? is not a whole number"))
}

fn session_attributes(value: &str) -> Result<TargetSessionAttrs, InvalidDatabaseUrl> {
    match value {
        "any" => Ok(TargetSessionAttrs::Any),
        "read-write" | "primary" => Ok(TargetSessionAttrs::ReadWrite),
        "read-only" | "standby" => Ok(TargetSessionAttrs::ReadOnly),
        _ => Err(InvalidDatabaseUrl("target_session_attrs is any, read-write or read-only")),
    }
}

fn channel_binding(value: &str) -> Result<ChannelBinding, InvalidDatabaseUrl> {
    match value {
        "disable" => Ok(ChannelBinding::Disable),
        "prefer" => Ok(ChannelBinding::Prefer),
        "require" => Ok(ChannelBinding::Require),
        _ => Err(InvalidDatabaseUrl("channel_binding is disable, prefer or require")),
    }
}

fn balance(value: &str) -> Result<LoadBalanceHosts, InvalidDatabaseUrl> {
    match value {
        "disable" => Ok(LoadBalanceHosts::Disable),
        "random" => Ok(LoadBalanceHosts::Random),
        _ => Err(InvalidDatabaseUrl("load_balance_hosts is disable or random")),
    }
}

fn negotiation(value: &str) -> Result<SslNegotiation, InvalidDatabaseUrl> {
    match value {
        "postgres" => Ok(SslNegotiation::Postgres),
        "direct" => Ok(SslNegotiation::Direct),
        _ => Err(InvalidDatabaseUrl("sslnegotiation is postgres or direct")),
    }
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::Host;

    use super::*;

    fn settings(parameters: &[(&str, &str)]) -> Result<Settings, InvalidDatabaseUrl> {
        let owned: Vec<_> =
            parameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Settings::of(&owned)
    }

    #[test]
    fn every_parameter_reaches_the_driver_in_its_own_unit() {
        let settings = settings(&[
            ("host", "a,b"),
            ("port", "1,2"),
            ("connect_timeout", "3"),
            ("tcp_user_timeout", "1500"),
            ("keepalives_count", "7"),
            ("sslmode", "prefer"),
            ("sslmode", "disable"),
        ])
        .unwrap();
        let config = settings.config();
        assert_eq!(config.get_hosts(), [Host::Tcp("a".to_owned()), Host::Tcp("b".to_owned())]);
        assert_eq!(config.get_ports(), [1, 2]);
        assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(3)));
        assert_eq!(config.get_tcp_user_timeout(), Some(&Duration::from_millis(1500)));
        assert_eq!(config.get_keepalives_retries(), Some(7));
        assert_eq!((config.get_ssl_mode(), settings.trust()), (SslMode::Disable, None));
    }

    #[test]
    fn a_watched_session_is_not_ended_for_a_server_that_takes_no_bytes() {
        let limits = |parameters: &[(&str, &str)]| {
            let usual = settings(parameters).unwrap();
            let watched = usual.of_watched();
            [usual, watched].map(|settings| settings.config().get_tcp_user_timeout().copied())
        };
        // 0 is the system's own: bytes that are not acknowledged are sent again and again for about 15 minutes.
        assert_eq!(limits(&[]), [Some(TCP_USER_TIMEOUT), Some(Duration::ZERO)]);
        assert_eq!(limits(&[("tcp_user_timeout", "0")]), [Some(Duration::ZERO); 2]);
        assert_eq!(limits(&[("tcp_user_timeout", "1500")]), [Some(Duration::from_millis(1500)); 2]);
    }

    #[test]
    fn a_mode_says_whom_to_trust() {
        let trust = |parameters: &[(&str, &str)]| settings(parameters).unwrap().trust();
        assert_eq!(trust(&[("sslmode", "verify-full")]), Some(Trust::Host));
        assert_eq!(trust(&[("sslmode", "require"), ("sslrootcert", "ca.pem")]), Some(Trust::Authority));
        assert_eq!(trust(&[("sslmode", "require")]), Some(Trust::Anybody));
        assert_eq!(trust(&[]), Some(Trust::Anybody));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for parameter in [
            ("sslcrl", "x"),
            ("passfile", "x"),
            ("sslmode", "on"),
            ("sslcert", "x"),
            ("keepalives_idle", "x"),
        ] {
            assert!(settings(&[parameter]).is_err(), "{parameter:?}");
        }
    }
}
