//! The instant at which the timestamp section is 0.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The instant at which the timestamp section of an ID is 0: a whole millisecond in UTC, from the
/// year 0 to 9999-12-30 22:00:00.999, where the calendar of the library behind it ends.
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

    /// The epoch at this many milliseconds since 1970-01-01 00:00:00 UTC, if there is one.
    #[must_use]
    pub fn from_unix_millis(millis: i64) -> Option<Self> {
        timestamp(millis)?.try_into().ok()
    }
}

/// The moment this many milliseconds after 1970-01-01 00:00:00 UTC, if the calendar has it.
///
/// `Timestamp::from_millisecond` (jiff 0.2.43) lacks the last 999 of those that can be parsed.
pub(crate) fn timestamp(unix_millis: i64) -> Option<Timestamp> {
    Timestamp::from_duration(SignedDuration::from_millis(unix_millis)).ok()
}

/// 0000-01-01 00:00:00 UTC.
const YEAR_0: Timestamp = Timestamp::constant(-62_167_219_200, 0);

fn before_year_0() -> EpochError {
    EpochError::Syntax("it lies before the year 0".to_owned())
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
        if timestamp < YEAR_0 {
            return Err(before_year_0());
        }
        if timestamp.subsec_nanosecond() % 1_000_000 != 0 {
            return Err(EpochError::Fraction);
        }
        Ok(Self(timestamp))
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
        let text = text.trim();
        // In jiff 0.2.43, what lies less than a second before the calendar begins is no error: a
        // debug build panics, a release build makes a timestamp that has no number.
        if text.starts_with('-') {
            return Err(before_year_0());
        }
        text.parse::<Timestamp>().map_err(|error| EpochError::Syntax(error.to_string()))?.try_into()
    }
}

impl fmt::Display for Epoch {
    /// As [`Epoch::from_str`] reads it, in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
