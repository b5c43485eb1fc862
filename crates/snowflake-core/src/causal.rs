//! Causal order: IDs greater than those that were shown to this server.
//!
//! Here: how far an ID may move the ID clock, and how it does. Not here: the ordinary path (`issuer.rs`).
//!
//! What is shown to a server may push its ID clock as far ahead of the wall clock as load may, and no further: an
//! ID is only a number, which any role can make up. Only the administrator moves the ID clock beyond that.

use crate::sync::Ordering::Relaxed;
use crate::{Event, Extender, Host, Obstacle, Server, State, Tick};
use std::time::Duration;

impl<H: Host> Server<'_, H> {
    /// The next ID, which is greater than `after`.
    ///
    /// One that is ahead of the wall clock by more than load may push the ID clock, but of the ID clock by
    /// `max_drift` at most, is waited for.
    ///
    /// # Errors
    /// As [`Server::next`], and [`Obstacle::TooFarAhead`]; the ID clock is where it was then.
    #[inline]
    pub fn next_after(&self, after: i64) -> Result<i64, Obstacle> {
        let least = self.generator.first_tick_beyond(after);
        let mut floor = self.floor()?;
        let limit = self.limit(floor);
        // Tickets that are taken from now on are beyond those before.
        if least > floor && least > self.state.ticker.peek() {
            if least >= limit {
                return self.held_from(least);
            }
            floor = least;
            self.state.counters.raises.fetch_add(1, Relaxed);
        }
        self.next_within(floor, limit, least)
    }

    /// Takes note of an ID that another server has issued: those that are asked for from now on are greater.
    ///
    /// # Errors
    /// As [`Server::next`], and [`Obstacle::TooFarAhead`] where it is further ahead of the wall clock than load
    /// may be; the ID clock is where it was then.
    #[inline]
    pub fn witness(&self, id: i64) -> Result<(), Obstacle> {
        let least = self.generator.first_tick_beyond(id);
        self.state.counters.witnessed.fetch_add(1, Relaxed);
        if self.is_passed(least) { Ok(()) } else { self.follow(least) }
    }

    /// Moves the ID clock above an ID, however far that is: for the administrator. One that is above it already
    /// stays. Returns whether it was moved.
    ///
    /// # Errors
    /// As [`Server::next`].
    pub fn raise(&self, id: i64) -> Result<bool, Obstacle> {
        let least = self.generator.first_tick_beyond(id);
        self.begin_life(Extender::Caller)?;
        let before = self.state.ticker.peek();
        if self.is_passed(least) {
            return Ok(false);
        }
        self.lift(least, Extender::Caller)?;
        if least <= before {
            return Ok(false);
        }
        self.state.counters.raises.fetch_add(1, Relaxed);
        let millis = |tick| self.generator.unix_millis(tick);
        self.host.log(Event::Raised { from: millis(before), to: millis(least) });
        Ok(true)
    }

    #[cold]
    fn follow(&self, least: Tick) -> Result<(), Obstacle> {
        self.begin_life(Extender::Witness)?;
        if least <= self.state.ticker.peek() {
            return self.lift(least, Extender::Witness);
        }
        let millis = self.generator.unix_millis(least);
        let wall = self.wall_millis();
        if millis.saturating_sub(wall) > self.max_drift() {
            return Err(self.too_far_ahead(least));
        }
        // Also where the wall clock is beyond it: that may be set back.
        self.lift(least, Extender::Witness)?;
        if millis > wall {
            self.state.counters.raises.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    /// Blocks until an ID clock at this tick is not too far ahead: of the wall clock or, where that was set back, of
    /// an ID clock that keeps the pace of real time.
    #[cold]
    pub(crate) fn admit(&self, least: Tick) -> Result<(), Obstacle> {
        self.begin_life(Extender::Caller)?;
        let millis = self.generator.unix_millis(least);
        let beyond = millis.saturating_sub(self.wall_millis()) - self.max_drift();
        let id_clock = self.generator.unix_millis(self.state.ticker.peek());
        let ahead = millis.saturating_sub(id_clock);
        if beyond > 0 && ahead > self.max_drift() {
            return Err(self.too_far_ahead(least));
        }
        let wait = beyond.min(ahead);
        if wait > 0 {
            self.wait_out(wait * 1_000);
        }
        Ok(())
    }

    /// In a new life, the ID clock starts above the lease: it is not known before.
    fn begin_life(&self, extender: Extender) -> Result<(), Obstacle> {
        self.cover(0, extender)
    }

    /// Whether all tickets from now on are at this tick or beyond, and those of the next life, which starts where the
    /// lease ends: the ID clock may be beyond that, with tickets that were not returned.
    #[inline]
    fn is_passed(&self, tick: Tick) -> bool {
        let State { ticker, lease, .. } = self.state;
        tick <= ticker.peek().min(lease.end())
    }

    /// Moves the ID clock, under a lease that covers that: another life does not fall behind.
    fn lift(&self, least: Tick, extender: Extender) -> Result<(), Obstacle> {
        self.generator.check(least).map_err(|error| self.obstacle(error))?;
        self.cover(least, extender)?;
        self.state.ticker.raise(least);
        Ok(())
    }

    /// Extends the lease to beyond a tick, if it is not.
    fn cover(&self, tick: Tick, extender: Extender) -> Result<(), Obstacle> {
        if self.covers(tick, extender) { Ok(()) } else { self.extend(tick, extender) }
    }

    fn wait_out(&self, micros: i64) {
        let since = self.monotonic();
        loop {
            let waited = self.monotonic() - since;
            if waited >= micros {
                self.count_wait(waited);
                break;
            }
            self.host.sleep(Duration::from_micros((micros - waited).unsigned_abs()));
        }
    }

    /// How far ahead of the wall clock load may push the ID clock, in milliseconds.
    fn max_drift(&self) -> i64 {
        self.host.max_drift_millis().into()
    }

    fn too_far_ahead(&self, least: Tick) -> Obstacle {
        self.state.counters.too_far_ahead.fetch_add(1, Relaxed);
        Obstacle::TooFarAhead {
            millis: self.generator.unix_millis(least),
            wall_millis: self.wall_millis(),
            max_drift_millis: self.host.max_drift_millis(),
        }
    }
}
