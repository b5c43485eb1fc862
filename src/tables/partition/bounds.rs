//! A range of IDs.

use crate::error::{self, Refusal};
use crate::{node, time};
use snowflake_core::Space;

/// From one ID, inclusive, to another, exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub first: i64,
    pub end: i64,
}

impl Bounds {
    /// What lies below every ID and above every ID: MINVALUE and MAXVALUE.
    pub const MIN: i64 = i64::MIN;
    pub const MAX: i64 = i64::MAX;

    /// The IDs of a time, in microseconds since 2000.
    pub fn of_times(space: Space, from: i64, to: i64) -> Result<Self, Refusal> {
        let bounds = Self { first: first_id(space, from)?, end: first_id(space, to)? };
        if bounds.first < bounds.end { Ok(bounds) } else { Err(Refusal::EmptyRange { from, to }) }
    }
}

/// The smallest ID of a time, in microseconds since 2000.
fn first_id(space: Space, micros: i64) -> Result<i64, Refusal> {
    let id = time::to_unix_millis(micros).and_then(|millis| space.first_id(millis).ok());
    id.ok_or(Refusal::Moment { micros, space })
}

/// The smallest ID of a time, in milliseconds since 1970.
pub fn first_id_of_millis(space: Space, millis: i64) -> Result<i64, Refusal> {
    let micros = || time::from_unix_millis(millis).unwrap_or(i64::MAX);
    space.first_id(millis).map_err(|_| Refusal::Moment { micros: micros(), space })
}

/// The time of an ID, in microseconds since 2000.
pub fn time_of(space: Space, id: i64) -> Result<i64, Refusal> {
    let millis = space.decode(id).map_err(Refusal::Id)?.unix_millis;
    time::from_unix_millis(millis).ok_or(Refusal::Timestamp(id))
}

/// The time of a bound for a message, or the number where it is no ID.
pub fn time_text(id: i64) -> String {
    let decoded = node::space().ok().and_then(|space| space.decode(id).ok());
    decoded.map_or_else(|| id.to_string(), |decoded| error::moment(decoded.unix_millis))
}
