//! Many IDs at a time, as the extension's `bulk.rs` has it.

use super::log::Call;
use super::server::{Refusal, Server};
use snowflake_core::{IssueError, Section, Tick};
use std::ops::Range;

impl Server {
    /// How many IDs a millisecond has.
    pub fn millisecond(&self) -> u64 {
        self.generator.layout().max(Section::Sequence) + 1
    }

    /// `n` increasing IDs.
    pub async fn batch(&self, n: u64, call: &mut Call) -> Result<Vec<Range<Tick>>, Refusal> {
        if let Some(all) = self.claim_due(n, |tick| tick, call).await? {
            return Ok(vec![all]);
        }
        let mut runs = Vec::new();
        let mut left = n;
        while left > 0 {
            let part = left.min(self.millisecond());
            runs.push(self.claim(part, |tick| tick, call).await?);
            left -= part;
        }
        Ok(runs)
    }

    /// `n` consecutive IDs of one millisecond.
    pub async fn run(&self, n: u64, call: &mut Call) -> Result<Range<Tick>, Refusal> {
        self.claim(n, |tick| self.generator.start_of_run(tick, n), call).await
    }

    async fn claim(
        &self,
        n: u64,
        start: impl Fn(Tick) -> Tick,
        call: &mut Call,
    ) -> Result<Range<Tick>, Refusal> {
        if let Some(run) = self.claim_due(n, &start, call).await? {
            return Ok(run);
        }
        self.take_turn(n, &start, call).await?;
        let floor = self.floor(call).await?;
        let start = |next: Tick| start(next.max(floor));
        let first = self.ticker.claim(n, self.generator.space().end(), start);
        let run = first.map(|first| first..first + n).ok_or(IssueError::Exhausted)?;
        self.last_of_run.set(self.last_of_run.get().max(run.end - 1));
        self.may_be_interrupted().await;
        self.hold(run.end - 1).await?;
        Ok(run)
    }

    async fn claim_due(
        &self,
        n: u64,
        start: impl Fn(Tick) -> Tick,
        call: &mut Call,
    ) -> Result<Option<Range<Tick>>, Refusal> {
        let floor = self.floor(call).await?;
        let limit = self.generator.limit(floor, self.max_drift());
        self.machine.set_under_way(call.session, self.machine.time_of(limit));
        let start = |next: Tick| start(next.max(floor));
        let last = start(self.ticker.peek()) + n - 1;
        if last < limit && last >= self.lease.end() {
            self.hold(last).await?;
        }
        let first = self.ticker.claim(n, limit, start);
        self.machine.set_under_way(call.session, i64::MIN);
        let Some(first) = first else { return Ok(None) };
        let run = first..first + n;
        self.may_be_interrupted().await;
        if run.end > self.lease.end() {
            self.hold(run.end - 1).await?;
        }
        Ok(Some(run))
    }

    async fn take_turn(
        &self,
        n: u64,
        start: impl Fn(Tick) -> Tick,
        call: &mut Call,
    ) -> Result<(), Refusal> {
        loop {
            let before = self.last_of_run.get();
            self.hold(before).await?;
            let ours = start(self.ticker.peek().max(self.floor(call).await?)) + n - 1;
            self.generator.check(ours)?;
            if self.last_of_run.get() == before {
                self.last_of_run.set(ours);
                return Ok(());
            }
        }
    }
}
