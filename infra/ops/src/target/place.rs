//! Where a target is, in words: said before anything is changed there.

use std::path::PathBuf;

/// Where a target is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An embedded stack, by its name in `baton.toml` if it has one, in this folder.
    Local {
        /// Its name, if it has one.
        name: Option<String>,
        /// Its folder.
        data_dir: PathBuf,
    },
    /// A deployment.
    Aws {
        /// Its name.
        name: String,
        /// 12 digits.
        account: String,
        /// The region that it is in.
        region: String,
        /// Where its services answer, if not at AWS.
        endpoint_url: Option<String>,
    },
}

impl Place {
    /// One line.
    pub fn describe(&self) -> String {
        match self {
            Self::Local { name: None, data_dir } => {
                format!("the embedded stack in {}", data_dir.display())
            }
            Self::Local { name: Some(name), data_dir } => {
                format!("{name}, the embedded stack in {}", data_dir.display())
            }
            Self::Aws { name, account, region, endpoint_url } => {
                let at = endpoint_url.as_ref().map(|url| format!(", at {url}")).unwrap_or_default();
                format!("{name}, AWS account {account} in {region}{at}")
            }
        }
    }

    /// Whether it is AWS itself, whose console has pages for what `baton` shows.
    pub(crate) fn is_at_aws(&self) -> bool {
        matches!(self, Self::Aws { endpoint_url: None, .. })
    }
}
