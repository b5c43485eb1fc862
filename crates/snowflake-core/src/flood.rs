//! Which warnings of a flood are written, and how many each of them stands for.

use crate::clock::MINUTE_MICROS;
use std::num::NonZeroU64;

/// Thins out warnings that may come by the million: the first [`Flood::FIRST`] are written one by one, then at
/// most one a minute, and at most one a minute where a transaction ends.
///
/// **No warning is lost**: each that is written stands for itself and those that were only counted since the
/// one before, so these numbers add up once [`Flood::close`] has had the last word.
///
/// Times are microseconds of a clock that never steps, from any origin.
#[derive(Clone, Copy, Debug)]
pub struct Flood {
    one_by_one: Allowance,
    at_ends: Allowance,
    /// Counted, and not written yet.
    pending: u64,
}

impl Default for Flood {
    fn default() -> Self {
        let (one_by_one, at_ends) = (Allowance::of(Self::FIRST), Allowance::of(1));
        Self { one_by_one, at_ends, pending: 0 }
    }
}

impl Flood {
    /// How many are written before any is only counted; a quiet minute gives one of them back.
    pub const FIRST: u32 = 5;

    /// There is a warning. Returns how many it stands for if it is to be written, itself included.
    pub fn warning(&mut self, now: i64) -> Option<NonZeroU64> {
        self.pending += 1;
        if self.one_by_one.take(now) { self.close() } else { None }
    }

    /// A transaction ends. Returns how many have to be written of now, in one.
    pub fn end(&mut self, now: i64) -> Option<NonZeroU64> {
        if self.pending > 0 && self.at_ends.take(now) { self.close() } else { None }
    }

    /// Nothing comes any more. Returns how many were only counted.
    pub fn close(&mut self) -> Option<NonZeroU64> {
        NonZeroU64::new(std::mem::take(&mut self.pending))
    }
}

/// What may be taken a number of times at once, and once a minute in the long run.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    limit: u32,
    left: u32,
    /// The minute that gives back the next one began here.
    since: i64,
}

impl Allowance {
    const fn of(limit: u32) -> Self {
        Self { limit, left: limit, since: 0 }
    }

    fn take(&mut self, now: i64) -> bool {
        let minutes = now.saturating_sub(self.since).max(0) / MINUTE_MICROS;
        self.left =
            self.limit.min(self.left.saturating_add(u32::try_from(minutes).unwrap_or(u32::MAX)));
        // While all are there, no minute runs.
        self.since =
            if self.left == self.limit { now } else { self.since + minutes * MINUTE_MICROS };
        let is_allowed = self.left > 0;
        self.left -= u32::from(is_allowed);
        is_allowed
    }
}
