//! Who extends the lease, and where the counter starts, as the extension's `lease.rs` and
//! `keeper.rs` have it.

use super::machine::{MILLI, SECOND};
use super::server::{Refusal, Server};
use snowflake_core::{IssueError, Tick};

/// How far the lease runs ahead of the ID clock.
pub const LENGTH_MILLIS: i64 = 1_000;

const LOOK_EVERY: i64 = 125 * MILLI;
const LOOKS_BEFORE_SLEEP: u32 = 8;
const RETRY_EVERY: i64 = SECOND;
/// A disk that hangs.
const LONGEST_WRITE: i64 = 2 * SECOND;
/// What it takes to be given a lock.
const WAKE_UP: i64 = 10;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Extender {
    Keeper,
    Caller,
}

/// The right to write the lease.
struct Writer<'a>(&'a Server);

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        self.0.writing.set(false);
    }
}

impl Server {
    pub async fn extend_for_caller(&self, tick: Tick) -> Result<(), Refusal> {
        self.extend(tick, Extender::Caller).await?;
        self.wake_keeper.set(true);
        Ok(())
    }

    async fn extend(&self, tick: Tick, extender: Extender) -> Result<(), Refusal> {
        let _writer = self.writer().await;
        if self.lease.end() == 0 {
            self.start()?;
        } else if extender == Extender::Caller && self.lease.end() > tick {
            return Ok(());
        }
        let newest = self.ticker.peek();
        let end = self.end_of_lease(tick.max(newest));
        if end <= self.lease.end() {
            return Ok(());
        }
        self.write(end).await?;
        self.machine.write_to_wal(end);
        self.lease.extend(end);
        self.check_durable();
        self.ticker_at_extension.set(newest);
        self.machine.count(|counts| {
            counts.lease_extensions += 1;
            counts.by_callers += u64::from(extender == Extender::Caller);
        });
        Ok(())
    }

    async fn writer(&self) -> Writer<'_> {
        while self.writing.replace(true) {
            let left = self.written_at.get() - self.machine.now.get();
            self.machine.sleep(left.max(0) + WAKE_UP).await;
        }
        Writer(self)
    }

    fn end_of_lease(&self, tick: Tick) -> Tick {
        let generator = &self.generator;
        let end = generator.tick_at(generator.unix_millis(tick).saturating_add(LENGTH_MILLIS));
        end.max(tick + 1).min(generator.space().end())
    }

    async fn write(&self, end: Tick) -> Result<(), Refusal> {
        let machine = &self.machine;
        let (takes, fails) = machine.dice(|dice| {
            let longest = dice.choice([3 * MILLI, 3 * MILLI, 100 * MILLI, LONGEST_WRITE]).unwrap();
            (dice.i64(50..longest), machine.world.regime.disk_fails() && dice.u32(0..50) == 0)
        });
        self.written_at.set(machine.now.get() + takes);
        machine.disk.borrow_mut().begin(&machine.record(end));
        machine.sleep(takes).await;
        if fails {
            machine.count(|counts| counts.failed_writes += 1);
            machine.dice(|dice| machine.disk.borrow_mut().cut_off(dice));
            if self.lease.end() == 0 {
                machine.ceiling.crashed(machine.now.get(), self.lead());
            }
            return Err(Refusal::Disk);
        }
        machine.disk.borrow_mut().finish();
        Ok(())
    }

    /// What is in force is on disk, or a crash forgets IDs that were returned.
    fn check_durable(&self) {
        let durable = self.machine.disk.borrow().read().map_or(0, |record| record.end);
        if self.machine.world.lease_is_kept && durable < self.lease.end() {
            self.machine.log.borrow_mut().lease_is_shorter(durable, self.lease.end());
        }
    }

    /// Raises the counter above everything that this server, or the one it was a standby of, may
    /// have issued before.
    fn start(&self) -> Result<(), Refusal> {
        let record = self.machine.disk.borrow().read();
        let replayed = self.replayed.map_or(0, |millis| self.generator.tick_at(millis));
        let floor = record.map_or(0, |record| record.end).max(replayed);
        let epoch = self.generator.space().epoch.unix_millis();
        if floor == 0 && self.machine.wall_millis() < epoch {
            return Err(IssueError::EpochInFuture.into());
        }
        self.generator.check(floor)?;
        self.ticker.raise(floor);
        Ok(())
    }

    /// What a clean shutdown leaves on disk.
    pub fn write_exact_mark(&self) {
        let end = self.lease.end();
        if end != 0 {
            let mark = self.ticker.peek().min(end);
            self.machine.disk.borrow_mut().write(&self.machine.record(mark));
        }
    }
}

/// The background worker that extends the lease before callers come to its end.
#[derive(Default)]
pub struct Keeper {
    newest: Tick,
    idle_looks: u32,
}

impl Keeper {
    /// For ever: does what is due, and sleeps until a look is due or somebody wakes it.
    pub async fn run(mut self, server: &Server) {
        loop {
            let nap = match self.look(server).await {
                Ok(nap) => nap,
                Err(_) => RETRY_EVERY,
            };
            server.machine.sleep_or_wake(nap).await;
        }
    }

    async fn look(&mut self, server: &Server) -> Result<i64, Refusal> {
        let Server { generator, ticker, lease, machine, .. } = server;
        let (end, newest) = (lease.end(), ticker.peek());
        self.idle_looks = if newest == self.newest { self.idle_looks + 1 } else { 0 };
        self.newest = newest;
        if end == 0 || self.idle_looks > LOOKS_BEFORE_SLEEP {
            return Ok(FOR_EVER);
        }
        let wall = generator.tick_at(machine.wall_millis());
        let since = generator.unix_millis(wall) - generator.unix_millis(newest);
        let now = if since <= LENGTH_MILLIS { newest.max(wall) } else { newest };
        let left = generator.unix_millis(end) - generator.unix_millis(now);
        let in_use = newest != server.ticker_at_extension.get();
        if in_use && left <= LENGTH_MILLIS / 2 {
            server.extend(now, Extender::Keeper).await?;
        }
        Ok(LOOK_EVERY)
    }
}

const FOR_EVER: i64 = i64::MAX / 4;
