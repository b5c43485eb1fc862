//! Many IDs at a time: a batch, and a run of consecutive ones.
//!
//! What a caller takes at once must not push the ID clock further ahead than load may. Within the
//! drift limit there is room to take everything in one step, or none ([`crate::Ticker::claim`]). Beyond
//! it callers take turns: of the runs that are not due yet, of a millisecond's worth at most, there is
//! one at a time. Its last tick marks the turn (`State::last_of_run`), so a turn ends by itself when
//! that is due, whatever became of the caller.

use crate::sync::Ordering::Relaxed;
use crate::{Host, IssueError, Obstacle, Section, Server, Tick};
use std::ops::Range;

impl<H: Host> Server<'_, H> {
    /// `n` increasing IDs, not necessarily consecutive; `n` is at least 1.
    ///
    /// # Errors
    /// As [`Server::next`].
    pub fn batch(&self, n: u64) -> Result<impl Iterator<Item = i64> + use<H>, Obstacle> {
        let generator = self.generator;
        let ticks = self.runs(n)?;
        Ok(ticks.into_iter().flatten().map(move |tick| generator.id(tick)))
    }

    /// The first of `n` consecutive IDs, all of one millisecond; `n` is 1 to
    /// [`Server::ids_in_a_millisecond`].
    ///
    /// # Errors
    /// As [`Server::next`].
    pub fn reserve(&self, n: u64) -> Result<i64, Obstacle> {
        let run = self.claim(n, |tick| self.generator.start_of_run(tick, n))?;
        Ok(self.generator.id(run.start))
    }

    /// How many IDs a millisecond has.
    #[must_use]
    pub fn ids_in_a_millisecond(&self) -> u64 {
        self.generator.layout().max(Section::Sequence) + 1
    }

    fn runs(&self, n: u64) -> Result<Vec<Range<Tick>>, Obstacle> {
        if let Some(all) = self.claim_due(n, |tick| tick)? {
            return Ok(vec![all]);
        }
        let mut runs = Vec::new();
        let mut left = n;
        while left > 0 {
            let part = left.min(self.ids_in_a_millisecond());
            runs.push(self.claim(part, |tick| tick)?);
            left -= part;
        }
        Ok(runs)
    }

    /// Takes `n` consecutive tickets, and blocks until they may be used.
    fn claim(&self, n: u64, start: impl Fn(Tick) -> Tick) -> Result<Range<Tick>, Obstacle> {
        if let Some(run) = self.claim_due(n, &start)? {
            return Ok(run);
        }
        self.take_turn(n, &start)?;
        let floor = self.believed_floor()?;
        let start = |next: Tick| start(next.max(floor));
        let first = self.state.ticker.claim(n, self.generator.space().end(), start);
        let run = first.map(|first| first..first + n).ok_or_else(|| self.exhausted())?;
        self.state.last_of_run.fetch_max(run.end - 1, Relaxed);
        self.host.preempt();
        self.hold(run.end - 1)?;
        Ok(run)
    }

    /// Takes them if all of them are due by now: those within the drift limit are.
    fn claim_due(
        &self,
        n: u64,
        start: impl Fn(Tick) -> Tick,
    ) -> Result<Option<Range<Tick>>, Obstacle> {
        let ticker = &self.state.ticker;
        let floor = self.believed_floor()?;
        let limit = self.limit(floor);
        let start = |next: Tick| start(next.max(floor));
        // Look before taking tickets: a caller that is refused burns nothing.
        let last = start(ticker.peek()) + n - 1;
        if last < limit && last >= self.state.lease.end() {
            self.hold(last)?;
        }
        self.host.preempt();
        let Some(first) = ticker.claim(n, limit, start) else { return Ok(None) };
        self.host.preempt();
        let run = first..first + n;
        if run.end > self.state.lease.end() {
            self.hold(run.end - 1)?;
        }
        Ok(Some(run))
    }

    /// Blocks until no other run is waiting to become due.
    fn take_turn(&self, n: u64, start: impl Fn(Tick) -> Tick) -> Result<(), Obstacle> {
        let last_of_run = &self.state.last_of_run;
        loop {
            let before = last_of_run.load(Relaxed);
            self.hold(before)?;
            let ours = start(self.state.ticker.peek().max(self.believed_floor()?)) + n - 1;
            self.generator.check(ours).map_err(|_| self.exhausted())?;
            if last_of_run.compare_exchange(before, ours, Relaxed, Relaxed).is_ok() {
                return Ok(());
            }
        }
    }

    fn exhausted(&self) -> Obstacle {
        self.obstacle(IssueError::Exhausted)
    }
}
