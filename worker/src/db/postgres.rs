//! Connecting to PostgreSQL. The URL is taken apart here, so that no message repeats a part of it that may be the password.

mod diesel_connection;
pub(crate) mod error;
pub(super) mod iam;
pub(crate) mod names;
mod row;
mod session;
mod session_settings;
mod settings;
pub(crate) mod sqlstate;
mod tls;
mod watch;

use std::time::Duration;

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::InvalidDatabaseUrl;
use iam::{Login, NotForIam, Signer};
pub(crate) use session::CopyIn;
pub use session::Session;
use settings::Settings;
pub use watch::Watch;

/// How long a connection may take to come about, for each host that is tried. libpq's parameter is `connect_timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A PostgreSQL database and how to log in to it.
#[derive(Clone)]
pub(super) struct Target {
    settings: Settings,
    /// What a message must not repeat.
    secrets: Vec<SecretString>,
    display_name: String,
    iam: Option<Box<Iam>>,
}

/// IAM database authentication.
#[derive(Clone)]
struct Iam {
    login: Login,
    /// Comes once the process has its credentials.
    signer: Option<Signer>,
}

/// What the server says of itself when a connection begins.
struct Greeting {
    /// The major version: 16.
    version: u32,
    /// Whether every character can be stored.
    is_unicode: bool,
}

impl Target {
    /// Reads what follows `postgres://`: `[user[:password]@][host[:port][,…]][/dbname][?key=value&…]`.
    pub(super) fn parse(rest: &str) -> Result<Self, InvalidDatabaseUrl> {
        let parameters = parameters(rest)?;
        let value =
            |key: &str| parameters.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value);
        let host = value("host").map_or("local", String::as_str);
        let port = value("port").map_or("5432", String::as_str);
        let dbname = value("dbname").map_or("(default)", String::as_str);
        let display_name = format!("postgres {host}:{port}/{dbname}");
        let secrets = ["password", "user"]
            .iter()
            .filter_map(|key| value(key))
            .filter(|secret| !secret.is_empty())
            .map(|secret| SecretString::from(secret.as_str()))
            .collect();
        Ok(Self { settings: Settings::of(&parameters)?, secrets, display_name, iam: None })
    }

    /// The same with IAM database authentication.
    pub(super) fn by_iam(self) -> Result<Self, NotForIam> {
        let login = Login::of(&self.settings)?;
        Ok(Self { iam: Some(Box::new(Iam { login, signer: None })), ..self })
    }

    /// Gives it what signs its tokens, if it takes any.
    pub(super) fn signed_by(mut self, signer: Signer) -> Self {
        if let Some(iam) = &mut self.iam {
            iam.signer = Some(signer);
        }
        self
    }

    /// Whether it takes tokens.
    pub(super) fn is_by_iam(&self) -> bool {
        self.iam.is_some()
    }

    /// Opens a session.
    pub(super) fn connect(&self) -> Result<Session, String> {
        Session::open(self)
    }

    /// Opens a session whose statements may take long: each is watched.
    pub(super) fn connect_watched(&self, watch: Watch) -> Result<Session, String> {
        let target = Self { settings: self.settings.of_watched(), ..self.clone() };
        let mut session = Session::open(&target)?;
        session.watch(watch).map_err(|error| error.to_string())?;
        Ok(session)
    }

    /// Connects. The connection works as long as the runtime that this is called on is driven.
    async fn client(&self) -> Result<(Client, Greeting), NoSession> {
        let config = self.config().await.map_err(NoSession::Elsewhere)?;
        let tls = self.settings.tls().map_err(NoSession::Elsewhere)?;
        let hosts = u32::try_from(config.get_hosts().len().max(1)).unwrap_or(1);
        let patience = config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT) * hosts;
        // The driver's own limit ends when the host has answered; a server that then says nothing would hold us for ever.
        let connected = tokio::time::timeout(patience, config.connect(tls)).await;
        let (client, mut connection) = connected
            .map_err(|_| NoSession::Silent(format!("no answer within {} s", patience.as_secs())))?
            .map_err(|error| {
                let said = self.redact(&chain(&error));
                if error.as_db_error().is_some() {
                    NoSession::Elsewhere(said)
                } else {
                    NoSession::Silent(said)
                }
            })?;
        let parameter = |name: &str| connection.parameter(name).unwrap_or_default().to_owned();
        let version =
            parameter("server_version").split(['.', ' ']).next().and_then(|major| major.parse().ok());
        let is_unicode = matches!(parameter("server_encoding").as_str(), "UTF8" | "SQL_ASCII" | "");
        let greeting = Greeting { version: version.unwrap_or(0), is_unicode };
        // Notices of the server are dropped: they may quote rows.
        tokio::spawn(async move {
            while let Some(Ok(_)) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {}
        });
        Ok((client, greeting))
    }

    /// The TLS side of a request to cancel.
    fn tls(&self) -> Result<MakeRustlsConnect, String> {
        self.settings.tls()
    }

    async fn config(&self) -> Result<Config, String> {
        let mut config = self.settings.config().clone();
        if let Some(iam) = &self.iam {
            config.password(iam.token().await?.expose_secret());
        }
        Ok(config)
    }

    /// Whether both log in as one role, with the same options of a session.
    pub(super) fn is_of_one_role(&self, other: &Self) -> bool {
        let of = |target: &Self| {
            let config = target.settings.config();
            (config.get_user().map(str::to_owned), config.get_options().map(str::to_owned))
        };
        of(self) == of(other)
    }

    pub(super) fn name_with_role(&self) -> String {
        let config = self.settings.config();
        let role = config.get_user().map(|role| format!("\nas {role}"));
        let options = config.get_options().map(|options| format!("\nwith {options}"));
        [Some(self.display_name()), role, options].into_iter().flatten().collect()
    }

    pub(super) fn display_name(&self) -> String {
        self.display_name.clone()
    }

    /// The message on one line, without the password, and without the user wherever it is quoted.
    fn redact(&self, message: &str) -> String {
        let mut message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        for secret in &self.secrets {
            let secret = secret.expose_secret();
            message = message.replace(&format!("\"{secret}\""), "(not shown)");
        }
        message
    }
}

/// Why there is no session, as a sentence for a person.
enum NoSession {
    /// Nobody answers.
    Silent(String),
    /// The server refuses it, or it was not asked.
    Elsewhere(String),
}

impl NoSession {
    fn said(self) -> String {
        match self {
            Self::Silent(said) | Self::Elsewhere(said) => said,
        }
    }
}

/// An error with its sources, which say what the error itself does not.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words.push_str(": ");
        words.push_str(&error.to_string());
        source = error.source();
    }
    words
}

impl Iam {
    async fn token(&self) -> Result<SecretString, String> {
        self.signer.as_ref().ok_or("nothing signs its tokens")?.token(&self.login).await
    }
}

fn parameters(rest: &str) -> Result<Vec<(String, String)>, InvalidDatabaseUrl> {
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, dbname) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    // A password with a character that ought to be encoded would end up in the host, the port or the name, and be shown.
    if dbname.contains(['@', ':', '/']) || login.contains('@') || query.contains('@') {
        return Err(InvalidDatabaseUrl("a user or password with @ : / or ? in it must be percent-encoded"));
    }
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let (hosts, ports) = hosts_and_ports(hosts)?;
    let mut parameters = Vec::new();
    for (key, value) in
        [("user", user), ("password", password), ("host", &hosts), ("port", &ports), ("dbname", dbname)]
    {
        if !value.is_empty() {
            parameters.push((key.to_owned(), decode(value)?));
        }
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) =
            pair.split_once('=').ok_or(InvalidDatabaseUrl("a parameter behind ? has no value"))?;
        if !key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
            return Err(InvalidDatabaseUrl("a parameter behind ? is none of libpq's"));
        }
        parameters.push((key.to_owned(), decode(value)?));
    }
    Ok(parameters)
}

/// `host:port,[::1]:port` as libpq's lists of hosts and of ports.
fn hosts_and_ports(text: &str) -> Result<(String, String), InvalidDatabaseUrl> {
    let mut hosts = Vec::new();
    let mut ports = Vec::new();
    for item in text.split(',') {
        let (host, port) = match item.strip_prefix('[') {
            Some(rest) => {
                let (host, port) =
                    rest.split_once(']').ok_or(InvalidDatabaseUrl("an address in [ has no end"))?;
                (host, port.strip_prefix(':').unwrap_or(port))
            }
            None => item.split_once(':').unwrap_or((item, "")),
        };
        if !port.is_empty() && port.parse::<u16>().is_err() {
            return Err(InvalidDatabaseUrl("the port is no number between 0 and 65535"));
        }
        hosts.push(host);
        ports.push(port);
    }
    let ports = if ports.iter().all(|port| port.is_empty()) { String::new() } else { ports.join(",") };
    Ok((hosts.join(","), ports))
}

fn decode(text: &str) -> Result<String, InvalidDatabaseUrl> {
    let decoded = percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| InvalidDatabaseUrl("it is not percent-encoded UTF-8"))?;
    if decoded.chars().any(char::is_control) {
        return Err(InvalidDatabaseUrl("it has a control character"));
    }
    Ok(decoded.into_owned())
}

/// What a text becomes that is to be read by people, or is JSON, where the database cannot store every character: each one
/// beyond ASCII becomes JSON's escape.
pub(crate) fn escaped(text: &str) -> std::borrow::Cow<'_, str> {
    if text.is_ascii() {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len());
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("\\u{unit:04x}")),
        }
    }
    escaped.into()
}

#[cfg(test)]
mod tests;
