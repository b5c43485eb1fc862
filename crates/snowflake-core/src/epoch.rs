//! The instant at which the timestamp section is 0.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The instant at which the timestamp section of an ID is 0: a whole millisecond.
///
/// Written as ISO 8601 date and time with an offset from UTC, `2024-01-01 00:00:00+00`; `T` in
/// place of the blank, `Z` in place of the offset and a fraction of up to three digits are fine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Timestamp", into = "Timestamp")]
pub struct Epoch(Timestamp);

/// Why a text is not an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EpochError {
    /// Not a date and time with an offset; the text says what the parser stumbled over.
    #[error("{0}")]
    Syntax(String),
    /// Finer than a millisecond.
    #[error("the epoch must be a whole millisecond")]
    Fraction,
}

impl Epoch {
    /// The epoch as milliseconds since 1970-01-01 00:00:00 UTC.
    #[must_use]
    pub fn unix_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// The epoch at this many milliseconds since 1970-01-01 00:00:00 UTC, if it lies within the
    /// years -9999 to 9999.
    #[must_use]
    pub fn from_unix_millis(millis: i64) -> Option<Self> {
        Timestamp::from_millisecond(millis).ok().map(Self)
    }
}

impl Default for Epoch {
    /// 2024-01-01 00:00:00 UTC.
    fn default() -> Self {
        Self(Timestamp::constant(1_704_067_200, 0))
    }
}

impl TryFrom<Timestamp> for Epoch {
    type Error = EpochError;

    fn try_from(timestamp: Timestamp) -> Result<Self, EpochError> {
        if timestamp.subsec_nanosecond() % 1_000_000 == 0 {
            Ok(Self(timestamp))
        } else {
            Err(EpochError::Fraction)
        }
    }
}

impl From<Epoch> for Timestamp {
    fn from(epoch: Epoch) -> Self {
        epoch.0
    }
}

impl FromStr for Epoch {
    type Err = EpochError;

    fn from_str(text: &str) -> Result<Self, EpochError> {
        text.trim()
            .parse::<Timestamp>()
            .map_err(|error| EpochError::Syntax(error.to_string()))?
            .try_into()
    }
}

impl fmt::Display for Epoch {
    /// As [`Epoch::from_str`] reads it, in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
