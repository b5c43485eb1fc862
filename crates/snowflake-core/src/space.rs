//! What belongs to the data: layout and epoch.

use crate::{Epoch, Layout, Node, Section, Tick};
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

impl Space {
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
