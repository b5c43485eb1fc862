//! Where the ID clock of another server may be, by the clock that its replayed commits carry.

/// An upper bound of a primary's ID clock, kept by its standby. All times are milliseconds.
///
/// The ID clock is ahead of the primary's wall clock by a known amount at most, until the wall clock
/// is set back: then the ID clock stays, and load moves it on, no faster than real time. So the bound
/// follows what is seen and, where that falls back, goes on with real time instead. Replay that lags
/// looks the same, and the bound is right then too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follower {
    mark: i64,
    seen_at: i64,
}

impl Follower {
    /// What two looks may differ by although no clock was set: replay comes in fits and starts, and
    /// two machines' clocks do not run at quite the same rate.
    pub const JITTER: i64 = 1_000;

    /// Starts from a bound, such as the lease's end, at this reading of a clock that never steps.
    #[must_use]
    pub fn new(mark: i64, now: i64) -> Self {
        Self { mark, seen_at: now }
    }

    /// Takes in that the primary's clock, plus what the ID clock may be ahead of it, has reached
    /// `seen`; returns the bound.
    pub fn see(&mut self, seen: i64, now: i64) -> i64 {
        let elapsed = now.saturating_sub(self.seen_at).max(0);
        let expected = self.mark.saturating_add(elapsed);
        self.mark = if seen >= expected.saturating_sub(Self::JITTER) { seen } else { expected };
        self.seen_at = now;
        self.mark
    }
}
