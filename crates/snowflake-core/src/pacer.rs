//! How fast the ID clock may run once it is ahead.

use crate::sync::{AtomicI64, Ordering};

/// The readings that a pacing decision is made from, all in microseconds.
///
/// Wall and monotonic clock are read one right after the other, *after* the ticks were seen: a
/// reading that is too old could only make a caller wait longer.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// Wall clock since the epoch; negative when it stands before the epoch.
    pub wall: i64,
    /// A clock that never steps, from any origin.
    pub monotonic: i64,
}

/// Lets the ID clock run ahead of the wall clock by `max_drift` and, from there on, no faster
/// than real time.
///
/// A tick is due when either of two lines has reached its millisecond:
///
/// * *wall clock + `max_drift`*. Load alone can never push the ID clock past it.
/// * *monotonic clock + anchor*. When the wall clock steps back, IDs that lie far beyond the first
///   line were issued already. The first caller to find that drops the anchor there, and the ID
///   clock goes on from its place, at the pace of real time, until the wall clock has caught up.
///
/// How does a caller know that the clock stepped back, rather than that load ran ahead? A session
/// holds one ticket at most that is not due, so load takes ticks beyond the due one no further
/// than there are sessions (`slack`): what lies beyond that was issued under another clock.
///
/// Nothing is saved up: while an anchored ID clock stands idle, the anchor comes down with it, and
/// a later burst finds [`Pacer::BURST`] of credit and no more.
#[derive(Debug)]
pub struct Pacer {
    /// Due line minus monotonic clock, in microseconds.
    anchor: AtomicI64,
}

/// Far below any line, and far enough from the ends of `i64` to add a clock reading.
const NO_ANCHOR: i64 = i64::MIN / 4;

impl Default for Pacer {
    fn default() -> Self {
        Self { anchor: AtomicI64::new(NO_ANCHOR) }
    }
}

impl Pacer {
    /// How much of an anchored line may be left unused and made up for later, in microseconds:
    /// callers may sleep that much longer than they have to without slowing issuing down.
    pub const BURST: i64 = 8_000;

    /// How long the caller has to wait until the millisecond that starts at `start` may be issued:
    /// microseconds, 0 for not at all.
    ///
    /// `start` and `id_clock`, the start of the millisecond of the newest tick, are microseconds
    /// since the epoch; `max_drift` and `slack` are microseconds too.
    pub fn wait(
        &self,
        start: i64,
        id_clock: i64,
        clocks: Clocks,
        max_drift: i64,
        slack: i64,
    ) -> i64 {
        let by_wall = start - clocks.wall - max_drift;
        if by_wall <= 0 {
            return 0;
        }
        // Relaxed: the anchor is all that is published, and a caller that finds it stale corrects it.
        let anchor = self.anchor.load(Ordering::Relaxed);
        let by_anchor = start - clocks.monotonic - anchor;
        let wait = by_wall.min(by_anchor);
        if wait > slack {
            self.anchor.fetch_max(start - clocks.monotonic, Ordering::Relaxed);
            return 0;
        }
        let idle_anchor = id_clock - clocks.monotonic + Self::BURST;
        if anchor > idle_anchor {
            self.anchor.fetch_min(idle_anchor, Ordering::Relaxed);
        }
        wait.max(0)
    }
}
