//! Connecting to PostgreSQL. The URL is taken apart here and handed to libpq as key and value, because libpq repeats
//! parts of a URL that it cannot read, and a part may be the password.

pub(super) mod iam;
mod language;

use diesel::{Connection, PgConnection};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};

use super::InvalidDatabaseUrl;
use iam::{Login, NotForIam, Signer};
pub(crate) use language::is_english;

/// What every connection gets unless the URL says otherwise. A server that vanishes is noticed within a minute.
const DEFAULTS: [(&str, &str); 5] = [
    ("connect_timeout", "10"),
    ("application_name", "baton-worker"),
    ("keepalives_idle", "30"),
    ("keepalives_interval", "10"),
    ("keepalives_count", "3"),
];

/// A PostgreSQL database and how to log in to it.
#[derive(Clone)]
pub(super) struct Target {
    /// libpq's, by their names.
    parameters: Vec<(String, SecretString)>,
    /// What a message of libpq must not repeat.
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

impl Target {
    /// Reads what follows `postgres://`: `[user[:password]@][host[:port][,…]][/dbname][?key=value&…]`.
    pub(super) fn parse(rest: &str) -> Result<Self, InvalidDatabaseUrl> {
        let mut parameters = parameters(rest)?;
        for (key, value) in DEFAULTS {
            if !parameters.iter().any(|(known, _)| known == key) {
                parameters.push((key.to_owned(), value.to_owned()));
            }
        }
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
        let parameters = parameters.into_iter().map(|(key, value)| (key, value.into())).collect();
        Ok(Self { parameters, secrets, display_name, iam: None })
    }

    /// The same with IAM database authentication.
    pub(super) fn by_iam(self) -> Result<Self, NotForIam> {
        let login = Login::of(&self.parameters)?;
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

    /// Connects; diesel itself sets the session to UTC and UTF-8.
    pub(super) fn connect(&self) -> Result<PgConnection, String> {
        let token = self.iam.as_deref().map(Iam::token).transpose()?;
        let mut connection = PgConnection::establish(self.connection_string(token.as_ref()).expose_secret())
            .map_err(|error| self.redact(&error.to_string()))?;
        language::ask_for_english(&mut connection);
        Ok(connection)
    }

    /// What libpq reads.
    fn connection_string(&self, token: Option<&SecretString>) -> SecretString {
        let all = self.parameters.iter().map(|(key, value)| (key.as_str(), value));
        let all = all.chain(token.map(|token| ("password", token)));
        let quoted = |value: &str| value.replace('\\', "\\\\").replace('\'', "\\'");
        all.map(|(key, value)| format!("{key}='{}' ", quoted(value.expose_secret())))
            .collect::<String>()
            .into()
    }

    pub(super) fn display_name(&self) -> String {
        self.display_name.clone()
    }

    /// libpq's message on one line, without the password, and without the user wherever libpq quotes it.
    fn redact(&self, message: &str) -> String {
        let mut message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        for secret in &self.secrets {
            let secret = secret.expose_secret();
            message = message.replace(&format!("\"{secret}\""), "(not shown)");
        }
        message
    }
}

impl Iam {
    fn token(&self) -> Result<SecretString, String> {
        self.signer.as_ref().ok_or("nothing signs its tokens")?.token(&self.login)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn target(rest: &str) -> Target {
        Target::parse(rest).unwrap()
    }

    #[test]
    fn every_part_of_a_url_reaches_libpq() {
        let target = target("us%40er:p%27w%5C@h:5433/sales?sslmode=disable&connect_timeout=3");
        assert_eq!(
            target.connection_string(None).expose_secret(),
            "user='us@er' password='p\\'w\\\\' host='h' port='5433' dbname='sales' sslmode='disable' \
             connect_timeout='3' application_name='baton-worker' keepalives_idle='30' keepalives_interval='10' \
             keepalives_count='3' "
        );
        assert_eq!(target.display_name(), "postgres h:5433/sales");
    }

    #[test]
    fn a_socket_and_several_hosts_are_understood() {
        assert_eq!(target("/db?host=/run/pg").display_name(), "postgres /run/pg:5432/db");
        assert_eq!(target("u@a:1,b:2/db").display_name(), "postgres a,b:1,2/db");
        assert_eq!(target("u@[::1]:1/db").display_name(), "postgres ::1:1/db");
    }

    #[test]
    fn a_password_that_is_not_encoded_is_refused_and_not_shown() {
        for rest in ["u:secret/x@h/db", "u:12/secret@h/db", "u:se@cret@h/db", "u:12?secret@h/db"] {
            let error = Target::parse(rest).err().unwrap().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn user_and_password_do_not_show_in_a_message_of_libpq() {
        let message =
            target("joe:geheim@h/db").redact("FATAL:  password authentication failed for user \"joe\"\n");
        assert_eq!(message, "FATAL: password authentication failed for user (not shown)");
    }
}
