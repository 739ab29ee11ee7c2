//! IAM database authentication of RDS: the password is a token, a request for `rds-db:connect` that is signed and never sent.
//! Every connection gets one of its own, since a token lets nobody in after 15 minutes; who is in stays. A token is as good
//! as a password while it lasts: it goes through verified TLS alone, and into no message.

use std::time::{Duration, SystemTime};

use aws_config::{Region, SdkConfig};
use aws_sdk_sfn::config::{Credentials, ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;
use tokio::runtime::Handle;
use tokio_postgres::config::Host;

use super::settings::Settings;
use super::tls::Trust;

/// How long RDS lets somebody in with a token.
const LIFETIME: Duration = Duration::from_secs(15 * 60);
/// How long credentials may take to come.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a query string of AWS leaves as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The order in which AWS's own clients write what signing adds, the signature last.
const ORDER: [&str; 7] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
];

/// Why a URL does not do for IAM database authentication.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "does not do for IAM database authentication: {0}; expected \
     postgres://user@host:port/dbname?sslmode=verify-full&sslrootcert=FILE"
)]
pub struct NotForIam(pub(in crate::db) &'static str);

/// Whom a token lets in, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The database's own host name, as RDS names it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The role in the database.
    pub user: String,
}

impl Login {
    /// What the URL says, if a token may be sent to it.
    pub(super) fn of(settings: &Settings) -> Result<Self, NotForIam> {
        let config = settings.config();
        if config.get_password().is_some() {
            return Err(NotForIam("it brings a password"));
        }
        if settings.trust() != Some(Trust::Host) {
            return Err(NotForIam("its sslmode is not verify-full, and the token is a password"));
        }
        let user = config.get_user().ok_or(NotForIam("it names no user"))?;
        let [Host::Tcp(host)] = config.get_hosts() else {
            return Err(NotForIam("it does not name one host"));
        };
        if !settings.names_host() {
            return Err(NotForIam("it names no host"));
        }
        let port = match config.get_ports() {
            [] => 5432,
            [port] => *port,
            _ => return Err(NotForIam("it does not name one port")),
        };
        Ok(Self { host: host.to_ascii_lowercase(), port, user: user.to_owned() })
    }

    /// The token that lets in with these credentials, from `now` on for 15 minutes.
    ///
    /// # Errors
    /// Why it cannot be signed.
    pub fn token(
        &self,
        credentials: &Credentials,
        region: &Region,
        now: SystemTime,
    ) -> Result<SecretString, String> {
        let mut settings = SigningSettings::default();
        settings.expires_in = Some(LIFETIME);
        settings.signature_location = SignatureLocation::QueryParams;
        let identity = credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(region.as_ref())
            .name("rds-db")
            .time(now)
            .settings(settings)
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let user = utf8_percent_encode(&self.user, RESERVED);
        let request = format!("{}:{}/?Action=connect&DBUser={user}", self.host, self.port);
        let url = format!("https://{request}");
        let signable = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::Bytes(&[]))
            .map_err(|error| error.to_string())?;
        let signed = sign(signable, &parameters).map_err(|error| error.to_string())?;
        let (instructions, _) = signed.into_parts();
        let mut added: Vec<_> = instructions.params().iter().collect();
        added.sort_by_key(|(name, _)| ORDER.iter().position(|known| known == name));
        let added =
            added.iter().map(|(name, value)| format!("&{name}={}", utf8_percent_encode(value, RESERVED)));
        Ok(format!("{request}{}", added.collect::<String>()).into())
    }
}

/// Where the credentials come from.
#[derive(Clone)]
pub(in crate::db) struct Signer {
    credentials: Option<SharedCredentialsProvider>,
    region: Option<Region>,
    runtime: Handle,
}

impl Signer {
    pub(in crate::db) fn new(aws: &SdkConfig, runtime: &Handle) -> Self {
        Self {
            credentials: aws.credentials_provider(),
            region: aws.region().cloned(),
            runtime: runtime.clone(),
        }
    }

    /// A token as of now.
    pub(super) async fn token(&self, login: &Login) -> Result<SecretString, String> {
        let region = self.region.as_ref().ok_or("AWS_REGION is not set")?;
        let provider = self.credentials.clone().ok_or("there are no credentials of AWS")?;
        // On the runtime that the provider's own connections belong to.
        let provided = self.runtime.spawn(async move { provider.provide_credentials().await });
        let credentials = tokio::time::timeout(PATIENCE, provided)
            .await
            .map_err(|_| format!("no credentials of AWS came within {PATIENCE:?}"))?
            .map_err(|error| format!("asking for credentials of AWS failed: {error}"))?
            .map_err(|error| format!("there are no credentials of AWS: {error}"))?;
        login.token(&credentials, region, SystemTime::now())
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::super::Target;
    use super::*;

    const TLS: &str = "sslmode=verify-full&sslrootcert=/etc/baton/rds.pem";

    fn login(rest: &str) -> Result<Login, NotForIam> {
        Login::of(&Target::parse(rest).unwrap().settings)
    }

    #[test]
    fn a_login_is_read_from_the_url() {
        let expected = Login { host: "db.rds".to_owned(), port: 5433, user: "ba ton".to_owned() };
        assert_eq!(login(&format!("ba%20ton@DB.rds:5433/sales?{TLS}")), Ok(expected));
        assert_eq!(login(&format!("baton@db/sales?{TLS}")).unwrap().port, 5432);
    }

    #[test]
    fn a_token_goes_to_one_host_through_verified_tls_and_stands_beside_no_password() {
        for rest in [
            &format!("baton:geheim@db/sales?{TLS}"),
            &format!("baton@db/sales?{TLS}&password=geheim"),
            &format!("db/sales?{TLS}"),
            &format!("baton@/sales?{TLS}"),
            &format!("baton@/sales?{TLS}&host=/run/pg"),
            &format!("baton@a,b/sales?{TLS}"),
            &format!("baton@a/sales?{TLS}&port=1,2"),
            "baton@db/sales",
            "baton@db/sales?sslmode=require",
            &format!("baton@db/sales?{TLS}&sslmode=prefer"),
        ] {
            let error = login(rest).unwrap_err().to_string();
            assert!(!error.contains("geheim"), "{error}");
        }
    }

    #[test]
    fn a_token_is_a_request_without_its_scheme() {
        let login = Login { host: "db.rds".to_owned(), port: 5432, user: "a/b".to_owned() };
        let credentials = Credentials::new("AKID", "geheim", None, None, "test");
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_539_600);
        let token = login.token(&credentials, &Region::from_static("eu-west-1"), now).unwrap();
        let token = token.expose_secret();
        let expected = "db.rds:5432/?Action=connect&DBUser=a%2Fb&X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=AKID%2F20261124%2Feu-west-1%2Frds-db%2Faws4_request&X-Amz-Date=20261124T170000Z\
             &X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature=";
        assert!(token.starts_with(expected) && token.len() == expected.len() + 64, "{token}");
        assert!(!token.contains("geheim"));
    }
}
