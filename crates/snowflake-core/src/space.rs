//! What belongs to the data: layout and epoch.

use crate::epoch::timestamp;
use crate::{Epoch, Layout, Node, Parts, Section, SectionError, Tick};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An ID space: layout and epoch, fixed from its first ID on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Space {
    /// Widths of the sections.
    pub layout: Layout,
    /// The instant at which the timestamp section is 0.
    pub epoch: Epoch,
}

/// An ID taken apart, with its time on the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Decoded {
    /// Milliseconds since 1970-01-01 00:00:00 UTC.
    pub unix_millis: i64,
    /// The node that issued the ID.
    pub node: Node,
    /// Counter within the millisecond.
    pub sequence: u32,
}

/// A number that no generator issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IdError {
    /// The sign bit is set.
    #[error("snowflake ID {0} is negative")]
    Negative(i64),
    /// The ID's time cannot be counted in milliseconds since 1970.
    #[error("the time of snowflake ID {0} is out of range")]
    Time(i64),
}

/// What no ID can be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// The moment, in milliseconds since 1970, is before the epoch or after the space's last one.
    #[error("the time lies outside of the ID space")]
    Time(i64),
    /// A part does not fit its section.
    #[error(transparent)]
    Section(#[from] SectionError),
}

/// The fields of an ID in JSON. The ID is text, because a JavaScript number would round it.
#[derive(Serialize)]
struct Json {
    id: String,
    id_time: Timestamp,
    datacenter: u32,
    machine: u32,
    sequence: u32,
}

impl Space {
    /// Packs an ID; `unix_millis` counts from 1970-01-01 00:00:00 UTC.
    ///
    /// # Errors
    /// When the moment is outside of the space, or a part does not fit its section.
    pub fn encode(self, unix_millis: i64, node: Node, sequence: u32) -> Result<i64, EncodeError> {
        let timestamp = self.timestamp(unix_millis)?;
        let Node { datacenter, machine } = node;
        Ok(self.layout.encode(Parts { timestamp, datacenter, machine, sequence })?)
    }

    /// The smallest ID of a millisecond, counted from 1970-01-01 00:00:00 UTC.
    ///
    /// # Errors
    /// When the moment is outside of the space.
    pub fn first_id(self, unix_millis: i64) -> Result<i64, EncodeError> {
        self.encode(unix_millis, Node::default(), 0)
    }

    /// What the timestamp section holds at a moment.
    fn timestamp(self, unix_millis: i64) -> Result<u64, EncodeError> {
        unix_millis
            .checked_sub(self.epoch.unix_millis())
            .and_then(|millis| u64::try_from(millis).ok())
            .filter(|&millis| millis <= self.layout.max(Section::Timestamp))
            .ok_or(EncodeError::Time(unix_millis))
    }

    /// Takes an ID apart.
    ///
    /// # Errors
    /// When the ID is negative, or its time lies beyond 2^63 ms after 1970 (only a timestamp
    /// section of 63 bits reaches that far).
    pub fn decode(self, id: i64) -> Result<Decoded, IdError> {
        if id < 0 {
            return Err(IdError::Negative(id));
        }
        let parts = self.layout.decode(id);
        let unix_millis = self
            .epoch
            .unix_millis()
            .checked_add_unsigned(parts.timestamp)
            .ok_or(IdError::Time(id))?;
        let node = Node { datacenter: parts.datacenter, machine: parts.machine };
        Ok(Decoded { unix_millis, node, sequence: parts.sequence })
    }

    /// Takes an ID apart, into the JSON object `{"id": "...", "id_time": "...", "datacenter": ...,
    /// "machine": ..., "sequence": ...}`; the ID is text, the time ISO 8601 in UTC.
    ///
    /// # Errors
    /// As [`Self::decode`], and when the time lies beyond 9999-12-30 22:00:00.999 UTC.
    pub fn decode_json(self, id: i64) -> Result<serde_json::Value, IdError> {
        let Decoded { unix_millis, node: Node { datacenter, machine }, sequence } =
            self.decode(id)?;
        let id_time = timestamp(unix_millis).ok_or(IdError::Time(id))?;
        let fields = Json { id: id.to_string(), id_time, datacenter, machine, sequence };
        serde_json::to_value(fields).map_err(|_| IdError::Time(id))
    }

    /// The tick after the last one that the timestamp section has room for.
    #[must_use]
    pub fn end(self) -> Tick {
        (self.layout.max(Section::Timestamp) + 1) << self.layout.bits(Section::Sequence)
    }

    /// The last millisecond that has IDs, since 1970-01-01 00:00:00 UTC (at most `i64::MAX`).
    #[must_use]
    pub fn last_unix_millis(self) -> i64 {
        self.epoch.unix_millis().saturating_add_unsigned(self.layout.max(Section::Timestamp))
    }
}
