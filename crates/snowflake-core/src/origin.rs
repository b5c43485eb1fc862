//! Where a machine id comes from that no setting gives: a name or a file of the machine.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use thiserror::Error;

/// Where to look for the machine id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The name of the host.
    Hostname,
    /// An environment variable of the server.
    Env(String),
    /// A file whose only content is the number.
    File(PathBuf),
}

/// The text names no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("valid values are \"hostname\", \"env:NAME\" and \"file:PATH\"")]
pub struct OriginError;

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "hostname" => Ok(Self::Hostname),
            Some(("env", name)) if !name.is_empty() && !name.contains('=') => {
                Ok(Self::Env(name.to_owned()))
            }
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            _ => Err(OriginError),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hostname => f.write_str("hostname"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl Origin {
    /// The machine id in what was found there, if there is one: all of a file, the decimal number at the end of a
    /// name. A name ends at its first dot, where the domain begins.
    ///
    /// Names that an administrator has numbered look like `db-3`, `pg3` or `3`: the last part is that number, or
    /// letters and that number. Names that a machine has made, from an address (`10.0.0.7`, `fe80::3`, `ip-10-0-0-7`) or
    /// by chance (`3f2a9b7c1d05`, a container), give none: the digits at their end come again on other hosts.
    ///
    /// A number that no section could hold is `u64::MAX`.
    #[must_use]
    pub fn number_in(&self, text: &str) -> Option<u64> {
        let digits = match self {
            Self::File(_) => text.trim_ascii(),
            Self::Hostname | Self::Env(_) => number_of_name(text)?,
        };
        is_number(digits).then(|| digits.parse().unwrap_or(u64::MAX))
    }

    /// Whether every group of servers has one of this name: that of the first of a group of numbered ones, `name-0`.
    #[must_use]
    pub fn is_first_of_a_group(&self, text: &str) -> bool {
        let host = host(text);
        !matches!(self, Self::File(_)) && host.len() > 2 && host.ends_with("-0")
    }
}

/// A name up to its first dot, where the domain begins.
fn host(text: &str) -> &str {
    text.split('.').next().unwrap_or_default()
}

/// The digits at the end of a name that was given with a number in mind.
fn number_of_name(text: &str) -> Option<&str> {
    let host = host(text);
    let parts = || host.rsplit(|c: char| !c.is_ascii_alphanumeric());
    let is_address = (host.len() < text.len()
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
        || text.contains(':')
        || parts().take_while(|part| is_number(part)).count() >= 4;
    let is_container = host.len() == 12 && host.bytes().all(|byte| byte.is_ascii_hexdigit());
    let last = parts().next().unwrap_or_default();
    (!is_address && !is_container)
        .then(|| last.trim_start_matches(|c: char| c.is_ascii_alphabetic()))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
