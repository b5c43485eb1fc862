//! How far IDs of different servers can be out of order, and why.
//!
//! Let *ta* be the true time at which a client was given the ID *a*, and *tb* the true time, not
//! before it, at which another client asked another server for the ID *b*. If *a* > *b* although it
//! came first, then
//!
//! > *tb - ta < lead(a) - skew(b) + 1 ms*
//!
//! where *skew(b)* is the least that b's wall clock, as far as its server believed it, was ahead of true time during
//! the call (a step forward is not believed before it has lasted), and
//! *lead(a)* the most that a's time can have been ahead of true time when it was returned:
//!
//! > *lead(a) = max(skew(a) + max_drift, carried(a)) + g*
//!
//! *skew(a)* is the wall clock's again, the most during the call. *carried(a)* is what the last
//! fault left behind, and real time adds nothing to it. *g* is 0 until the first fault, and from then on
//! what the pacer's second line may be ahead of where it should be: [`Pacer::BURST`], the rest of a
//! millisecond, and what tickets in hand are worth, together less than 30 ms here.
//!
//! * **no fault yet**: nothing. So with clocks that are within S of true time and do not step,
//!   *tb - ta < 2 S + max_drift + 1 ms*;
//! * **a clock step**: what the ID clock was ahead of true time then, or when a call that is under way looked at it
//!   (one that was shown an ID waits from then on), or is after calls that had looked at the wall clock already. No
//!   more than skew + max_drift before the step;
//! * **a crash**: the same of any call of this life, or skew + max_drift if that is more (of a call that had extended
//!   the lease and not yet taken its tickets), plus the most that a lease of this server was ever made for, because the
//!   restart begins at its end: a second, or five of the slowest writes of its file;
//! * **a first write of the lease after a start that failed**: the same as a crash, each time, because
//!   what failed may be on disk all the same;
//! * **a clean restart**: what the ID clock was ahead of true time;
//! * **a failover**: what a crash of the primary at that moment or any before would have left, because
//!   the standby begins at the end of a lease that its primary, or one before, has written;
//! * **a start without a lease**: what the second after the last checkpoint is ahead of true time.
//!
//! The 1 ms is what the clock's reading is cut by. *Proof.* A call reads the wall clock before it
//! takes a ticket, and never takes one of an earlier millisecond: time(b) > tb + skew(b) - 1 ms.
//! The pacer returns a only when it is due: time(a) <= ta + lead(a). An ID that is shown raises the ID clock no
//! further than that: one that is further ahead of the wall clock than max_drift is refused, or waited for as long as
//! it is ahead of the ID clock. And a > b implies time(a) >= time(b). The checker tests both lines for every ID, and the inequality for all pairs.

use crate::clock::{MILLI, NEVER};
use snowflake_core::{LEAST_MILLIS, MOST_MILLIS, Pacer, WRITES};
use std::cell::Cell;

/// More sessions than any simulated server has: what the host says of itself.
pub const MAX_SESSIONS: i64 = 8;
/// No fault yet.
const NOTHING: i64 = -NEVER;

/// The latest time that an ID may carry when it is returned, as the statement above has it. All in
/// microseconds of true time.
pub struct Ceiling {
    max_drift: i64,
    /// What an ID clock that was once left ahead can gain on the line that it is held to: credit, the
    /// rest of a millisecond, tickets in hand.
    allowance: Cell<i64>,
    carried: Cell<i64>,
    /// The most that the wall clock was ahead of true time in this server life.
    wall_of_life: Cell<i64>,
    /// Where the leases of earlier lives can have ended, in true time.
    leases: Cell<i64>,
    /// How much further a lease can have ended than the tick that it was for.
    length: Cell<i64>,
}

impl Ceiling {
    pub fn new(max_drift_millis: u32, skew: i64) -> Self {
        Self {
            max_drift: i64::from(max_drift_millis) * MILLI,
            allowance: Cell::new(0),
            carried: Cell::new(NOTHING),
            wall_of_life: Cell::new(skew),
            leases: Cell::new(NOTHING),
            length: Cell::new(LEAST_MILLIS * MILLI),
        }
    }

    pub fn at(&self, now: i64, offset: i64) -> i64 {
        let by_clock = offset + self.max_drift;
        match self.carried.get() {
            NOTHING => now + by_clock,
            carried => now + by_clock.max(carried) + self.allowance.get(),
        }
    }

    /// The same for a call that read this wall clock: it may go on by that although the clock has
    /// stepped back since.
    pub fn of_reading(&self, wall: i64) -> i64 {
        wall + self.max_drift
    }

    /// The wall clock is set. `lead` is what the ID clock is ahead of true time, if a lease is in
    /// force, and `under_way` what it may be after calls that have read the clock.
    pub fn stepped(&self, lead: Option<i64>, under_way: i64, to: i64) {
        self.carried.set(lead.unwrap_or(self.carried.get()).max(under_way));
        self.wall_of_life.set(self.wall_of_life.get().max(to));
    }

    /// A lease is written by a server whose writes take so long.
    pub fn writes(&self, micros: i64) {
        let most = MOST_MILLIS * MILLI;
        let length = (WRITES * micros).clamp(LEAST_MILLIS * MILLI, most) + micros.min(most);
        self.length.set(self.length.get().max(length));
    }

    pub fn crashed(&self, now: i64, lead: Option<i64>) {
        let by_clock = self.wall_of_life.get() + self.max_drift;
        let carried = match lead {
            Some(lead) => lead.max(by_clock) + self.length.get() + MILLI,
            None => self.carried.get().max(by_clock + self.length.get() + MILLI),
        };
        self.carried.set(carried);
        self.leases.set(self.leases.get().max(now + carried));
    }

    pub fn stopped(&self, now: i64, lead: Option<i64>) {
        let carried = self.carried.get();
        self.crashed(now, lead);
        self.carried.set(lead.unwrap_or(carried));
    }

    pub fn failed_over(&self, now: i64, lead: Option<i64>) {
        self.crashed(now, lead);
        self.carried.set(self.leases.get() - now);
    }

    /// A life begins, or a standby goes on as primary.
    pub fn started(&self, offset: i64) {
        self.wall_of_life.set(offset);
    }

    /// IDs can be issued; `slack` is [`snowflake_core::Server::slack`].
    pub fn opened(&self, slack: i64) {
        self.allowance.set(Pacer::BURST + MILLI + slack);
    }

    /// The ID clock may be so far ahead of true time already.
    pub fn carries(&self, lead: i64) {
        self.carried.set(self.carried.get().max(lead));
    }
}
