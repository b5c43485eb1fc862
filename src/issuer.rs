//! The ordinary path to the next ID.

use crate::error::Refusal;
use crate::lease::{self, Extender};
use crate::shared::Shared;
use crate::sleep::sleep;
use crate::{clock, guc, readiness};
use pgrx::prelude::*;
use snowflake_core::{Generator, IssueError, Section, Tick};
use std::sync::OnceLock;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// A paced session sleeps at least this long. Waking up for every single millisecond keeps a
/// crowd busy waiting: 36 sessions took 0.15 of a core, with this 0.04, at the same rate of IDs.
/// What is not taken meanwhile is not lost: [`snowflake_core::Pacer::BURST`] is longer.
const NAP_MICROS: i64 = 5_000;

/// Set by the first call in a session that found everything in order. None of that can change
/// within a session: settings are fixed, and a promoted server never becomes a standby again.
static ISSUER: OnceLock<Issuer> = OnceLock::new();

/// The next ID of this server.
///
/// # Errors
/// With the reason why none can be issued; nothing is lost then.
#[inline]
pub fn next() -> Result<i64, Refusal> {
    get()?.next()
}

/// What issues the IDs of this server.
///
/// # Errors
/// With the reason why none can be issued.
#[inline]
pub fn get() -> Result<&'static Issuer, Refusal> {
    match ISSUER.get() {
        Some(issuer) => Ok(issuer),
        None => prepare(),
    }
}

#[cold]
fn prepare() -> Result<&'static Issuer, Refusal> {
    let (generator, shared) = readiness::check()?;
    Ok(ISSUER.get_or_init(|| Issuer { generator, shared }))
}

/// What issues the IDs of this server, once everything is in order.
pub struct Issuer {
    pub generator: Generator,
    pub shared: &'static Shared,
}

impl Issuer {
    /// One clock read, one or two atomic operations, two comparisons.
    #[inline]
    fn next(&self) -> Result<i64, Refusal> {
        let Self { generator, shared: Shared { ticker, lease, .. } } = self;
        let floor = self.floor()?;
        let limit = generator.limit(floor, guc::max_drift_millis()).min(lease.end());
        // Look before taking a ticket: a caller that is refused or cancelled burns nothing.
        let next = ticker.peek().max(floor);
        if next >= limit {
            self.hold(next)?;
        }
        let tick = ticker.take(floor);
        if tick >= limit {
            self.hold(tick)?;
        }
        Ok(generator.id(tick))
    }

    /// The first tick of the current millisecond.
    ///
    /// # Errors
    /// When the clock is outside of the ID space.
    #[inline]
    pub fn floor(&self) -> Result<Tick, Refusal> {
        match self.generator.floor(&self.shared.ticker, clock::wall_millis()) {
            Ok(floor) => Ok(floor),
            Err(error) => self.floor_off_range(error),
        }
    }

    /// Blocks until a tick may be returned: until the lease covers it and it is due.
    ///
    /// # Errors
    /// When the timestamp section has no room for it, or the lease cannot be extended.
    #[cold]
    pub fn hold(&self, tick: Tick) -> Result<(), Refusal> {
        let Self { generator, shared } = self;
        generator.check(tick).map_err(|error| self.refusal(error))?;
        if tick >= shared.lease.end() {
            lease::extend(generator, shared, tick, Extender::Caller)?;
        }
        self.pace(tick);
        Ok(())
    }

    /// Waits until a tick beyond the drift limit is due.
    fn pace(&self, tick: Tick) {
        let Self { generator, shared } = self;
        let mut since = None;
        shared.watch_clock();
        loop {
            let id_clock = generator.start_micros(shared.ticker.peek());
            let clocks = clock::both(generator.space().epoch);
            let max_drift = i64::from(guc::max_drift_millis()) * 1_000;
            let start = generator.start_micros(tick);
            match shared.pacer.wait(start, id_clock, clocks, max_drift, self.slack()) {
                0 => break,
                micros => {
                    since.get_or_insert(clocks.monotonic);
                    let micros = micros.max(NAP_MICROS).unsigned_abs();
                    sleep(Some(Duration::from_micros(micros)), wait_event());
                }
            }
        }
        if let Some(since) = since {
            let waited = clock::monotonic_micros() - since;
            shared.counters.waits.fetch_add(1, Relaxed);
            shared.counters.wait_micros.fetch_add(waited.unsigned_abs(), Relaxed);
        }
    }

    /// How far sessions that hold one ticket each can be ahead of the tick that is due, in
    /// microseconds, with room for a late wake-up.
    fn slack(&self) -> i64 {
        // SAFETY: fixed once the server accepts connections.
        let sessions = i64::from(unsafe { pg_sys::MaxBackends });
        let millis = (sessions >> self.generator.layout().bits(Section::Sequence)) + 10;
        millis * 1_000
    }

    /// A clock before the epoch is no reason to refuse if IDs were issued already, be it in a former
    /// life of the server: the lease knows.
    #[cold]
    fn floor_off_range(&self, error: IssueError) -> Result<Tick, Refusal> {
        let Self { generator, shared } = self;
        if error == IssueError::EpochInFuture && shared.lease.end() == 0 {
            lease::extend(generator, shared, 0, Extender::Caller)?;
        }
        generator.floor(&shared.ticker, clock::wall_millis()).map_err(|error| self.refusal(error))
    }

    #[cold]
    fn refusal(&self, error: IssueError) -> Refusal {
        let space = self.generator.space();
        match error {
            IssueError::Exhausted => Refusal::Exhausted(space),
            IssueError::EpochInFuture => Refusal::EpochInFuture(space.epoch),
        }
    }
}

/// What `pg_stat_activity` shows for a paced session: wait event `SnowflakePacing` of type
/// `Extension`, or plain `Extension` where PostgreSQL has no names for extensions' events.
fn wait_event() -> u32 {
    #[cfg(any(feature = "pg17", feature = "pg18"))]
    {
        static EVENT: OnceLock<u32> = OnceLock::new();
        // SAFETY: the name is a valid C string; PostgreSQL gives equal names the same event.
        *EVENT.get_or_init(|| unsafe { pg_sys::WaitEventExtensionNew(c"SnowflakePacing".as_ptr()) })
    }
    #[cfg(not(any(feature = "pg17", feature = "pg18")))]
    pg_sys::PG_WAIT_EXTENSION
}
