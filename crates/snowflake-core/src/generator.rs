//! From clock and counter to the next ID.

use crate::{Layout, Node, Section, SectionError, Space, Tick, Ticker};
use std::cmp::Ordering;
use thiserror::Error;

/// What one node needs to issue IDs: its space and its place in it, with the constants of the
/// arithmetic worked out.
#[derive(Clone, Copy, Debug)]
pub struct Generator {
    space: Space,
    node: Node,
    node_bits: u64,
    epoch_unix_millis: i64,
    sequence_bits: u32,
    last_millis: u64,
}

/// Why no ID can be issued at this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IssueError {
    /// The timestamp section has no millisecond left.
    #[error("the timestamp section is exhausted")]
    Exhausted,
    /// The clock is before the epoch, and no ID was issued yet.
    #[error("the epoch lies in the future")]
    EpochInFuture,
}

impl Generator {
    /// The generator of this node.
    ///
    /// # Errors
    /// When datacenter or machine do not fit their sections.
    pub fn new(space: Space, node: Node) -> Result<Self, SectionError> {
        Ok(Self {
            space,
            node,
            node_bits: space.layout.node_bits(node.datacenter, node.machine)?,
            epoch_unix_millis: space.epoch.unix_millis(),
            sequence_bits: space.layout.bits(Section::Sequence),
            last_millis: space.layout.max(Section::Timestamp),
        })
    }

    /// The ID space it issues into.
    #[must_use]
    pub fn space(&self) -> Space {
        self.space
    }

    /// The node it issues for.
    #[must_use]
    pub fn node(&self) -> Node {
        self.node
    }

    /// The layout of its IDs.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.space.layout
    }

    /// The first tick of the current millisecond: no ticket below it is handed out from now on.
    ///
    /// `now` is the wall clock in milliseconds since 1970. A clock that stands before the epoch
    /// although IDs were issued already has stepped back; issuing goes on from where it was.
    ///
    /// # Errors
    /// When the clock is outside of the timestamp section.
    #[inline]
    pub fn floor(&self, ticker: &Ticker, now: i64) -> Result<Tick, IssueError> {
        // Negative numbers become huge: one comparison for both ends.
        let millis = now.wrapping_sub(self.epoch_unix_millis).cast_unsigned();
        if millis <= self.last_millis {
            return Ok(millis << self.sequence_bits);
        }
        self.floor_off_range(ticker, now)
    }

    #[cold]
    fn floor_off_range(&self, ticker: &Ticker, now: i64) -> Result<Tick, IssueError> {
        match now < self.epoch_unix_millis {
            true if ticker.peek() == 0 => Err(IssueError::EpochInFuture),
            true => Ok(0),
            false => Err(IssueError::Exhausted),
        }
    }

    /// The first tick whose millisecond is more than `max_drift` milliseconds after that of
    /// `floor`, or for which the section has no room.
    #[inline]
    #[must_use]
    pub fn limit(&self, floor: Tick, max_drift: u32) -> Tick {
        let millis = (floor >> self.sequence_bits) + u64::from(max_drift);
        (millis.min(self.last_millis) + 1) << self.sequence_bits
    }

    /// The first tick of a moment, in milliseconds since 1970, within the bounds of the section.
    #[must_use]
    pub fn tick_at(&self, unix_millis: i64) -> Tick {
        let millis = unix_millis.saturating_sub(self.epoch_unix_millis).max(0).cast_unsigned();
        millis.min(self.last_millis + 1) << self.sequence_bits
    }

    /// The moment of a tick, in milliseconds since 1970.
    #[must_use]
    pub fn unix_millis(&self, tick: Tick) -> i64 {
        self.epoch_unix_millis.saturating_add_unsigned(self.millis(tick))
    }

    /// Whether the section has room for this tick.
    ///
    /// # Errors
    /// [`IssueError::Exhausted`] when it has not.
    pub fn check(&self, tick: Tick) -> Result<(), IssueError> {
        if self.millis(tick) > self.last_millis { Err(IssueError::Exhausted) } else { Ok(()) }
    }

    /// The millisecond of a tick, since the epoch.
    #[inline]
    #[must_use]
    pub fn millis(&self, tick: Tick) -> u64 {
        tick >> self.sequence_bits
    }

    /// The first tick of a millisecond, not below this one.
    #[must_use]
    pub fn whole_millis(&self, tick: Tick) -> Tick {
        self.millis(tick.saturating_add((1 << self.sequence_bits) - 1)) << self.sequence_bits
    }

    /// Where `n` consecutive tickets of one millisecond can start: at this tick, or with the next
    /// millisecond. `n` is at most 2^`sequence_bits`.
    #[must_use]
    pub fn start_of_run(&self, tick: Tick, n: u64) -> Tick {
        let last = tick.saturating_add(n.saturating_sub(1));
        if self.millis(last) == self.millis(tick) { tick } else { self.whole_millis(tick) }
    }

    /// The start of a tick's millisecond: microseconds since the epoch, at most a quarter of
    /// `i64::MAX` (73,000 years), so that a clock reading can be added or subtracted.
    #[must_use]
    pub fn start_micros(&self, tick: Tick) -> i64 {
        const LATEST: u64 = u64::MAX / 8;
        self.millis(tick).saturating_mul(1_000).min(LATEST).cast_signed()
    }

    /// The first tick whose ID is greater than this ID; 0 for a negative one, which is below all IDs.
    #[inline]
    #[must_use]
    pub fn first_tick_beyond(&self, id: i64) -> Tick {
        if id < 0 {
            return 0;
        }
        let (millis, node_bits, sequence) = self.space.layout.split(id.cast_unsigned());
        // Within a millisecond, IDs sort by node first.
        let millis_start = |millis: u64| millis << self.sequence_bits;
        match self.node_bits.cmp(&node_bits) {
            Ordering::Less => millis_start(millis + 1),
            Ordering::Equal => (millis_start(millis) | sequence) + 1,
            Ordering::Greater => millis_start(millis),
        }
    }

    /// The ID of a tick.
    #[inline]
    #[must_use]
    pub fn id(&self, tick: Tick) -> i64 {
        self.space.layout.join(tick, self.node_bits)
    }
}
