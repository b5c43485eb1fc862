//! Many IDs at a time: a batch, and a run of consecutive ones.
//!
//! What a caller takes at once must not push the ID clock further ahead than load may. Within the
//! drift limit there is room to take everything in one step, or none ([`Ticker::claim`]). Beyond it
//! callers take turns: of the runs that are not due yet, of a millisecond's worth at most, there is
//! one at a time. Its last tick marks the turn ([`Shared::last_of_run`]), so a turn ends by itself when
//! that is due, whatever became of the caller.
//!
//! [`Ticker::claim`]: snowflake_core::Ticker::claim
//! [`Shared::last_of_run`]: crate::shared::Shared::last_of_run

use crate::error::Refusal;
use crate::guc;
use crate::issuer::{self, Issuer};
use snowflake_core::{Section, Tick};
use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;

/// The most IDs that one batch may ask for.
pub const MAX_BATCH: i64 = 10_000_000;

/// `n` increasing IDs, not necessarily consecutive.
///
/// # Errors
/// When `n` is not 1 to [`MAX_BATCH`], and as [`issuer::next`].
pub fn batch(n: i64) -> Result<impl Iterator<Item = i64>, Refusal> {
    let issuer = issuer::get()?;
    let ticks = issuer.batch(count(n, MAX_BATCH)?)?;
    Ok(ticks.into_iter().flatten().map(|tick| issuer.generator.id(tick)))
}

/// The first of `n` consecutive IDs, all of one millisecond.
///
/// # Errors
/// When `n` is not 1 to 2^`sequence_bits`, and as [`issuer::next`].
pub fn reserve(n: i64) -> Result<i64, Refusal> {
    let issuer = issuer::get()?;
    // At most 24 bits.
    let max = issuer.millisecond().cast_signed();
    Ok(issuer.generator.id(issuer.run(count(n, max)?)?.start))
}

fn count(n: i64, max: i64) -> Result<u64, Refusal> {
    if (1..=max).contains(&n) { Ok(n.unsigned_abs()) } else { Err(Refusal::Count { n, max }) }
}

impl Issuer {
    /// How many IDs a millisecond has.
    fn millisecond(&self) -> u64 {
        self.generator.layout().max(Section::Sequence) + 1
    }

    fn batch(&self, n: u64) -> Result<Vec<Range<Tick>>, Refusal> {
        if let Some(all) = self.claim_due(n, |tick| tick)? {
            return Ok(vec![all]);
        }
        let mut runs = Vec::new();
        let mut left = n;
        while left > 0 {
            let part = left.min(self.millisecond());
            runs.push(self.claim(part, |tick| tick)?);
            left -= part;
        }
        Ok(runs)
    }

    fn run(&self, n: u64) -> Result<Range<Tick>, Refusal> {
        self.claim(n, |tick| self.generator.start_of_run(tick, n))
    }

    /// Takes `n` consecutive tickets, and blocks until they may be used.
    fn claim(&self, n: u64, start: impl Fn(Tick) -> Tick) -> Result<Range<Tick>, Refusal> {
        if let Some(run) = self.claim_due(n, &start)? {
            return Ok(run);
        }
        self.take_turn(n, &start)?;
        let floor = self.floor()?;
        let start = |next: Tick| start(next.max(floor));
        let first = self.shared.ticker.claim(n, self.generator.space().end(), start);
        let run = first.map(|first| first..first + n).ok_or_else(|| self.exhausted())?;
        self.shared.last_of_run.fetch_max(run.end - 1, Relaxed);
        self.hold(run.end - 1)?;
        Ok(run)
    }

    /// Takes them if all of them are due by now: those within the drift limit are.
    fn claim_due(
        &self,
        n: u64,
        start: impl Fn(Tick) -> Tick,
    ) -> Result<Option<Range<Tick>>, Refusal> {
        let ticker = &self.shared.ticker;
        let floor = self.floor()?;
        let limit = self.generator.limit(floor, guc::max_drift_millis());
        let start = |next: Tick| start(next.max(floor));
        // Look before taking tickets: a caller that is refused burns nothing.
        let last = start(ticker.peek()) + n - 1;
        if last < limit && last >= self.shared.lease.end() {
            self.hold(last)?;
        }
        let Some(first) = ticker.claim(n, limit, start) else { return Ok(None) };
        let run = first..first + n;
        if run.end > self.shared.lease.end() {
            self.hold(run.end - 1)?;
        }
        Ok(Some(run))
    }

    /// Blocks until no other run is waiting to become due.
    fn take_turn(&self, n: u64, start: impl Fn(Tick) -> Tick) -> Result<(), Refusal> {
        let last_of_run = &self.shared.last_of_run;
        loop {
            let before = last_of_run.load(Relaxed);
            self.hold(before)?;
            let ours = start(self.shared.ticker.peek().max(self.floor()?)) + n - 1;
            self.generator.check(ours).map_err(|_| self.exhausted())?;
            if last_of_run.compare_exchange(before, ours, Relaxed, Relaxed).is_ok() {
                return Ok(());
            }
        }
    }

    fn exhausted(&self) -> Refusal {
        Refusal::Exhausted(self.generator.space())
    }
}
