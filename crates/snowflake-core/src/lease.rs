//! The promise that outlives the process: who extends it, where the counter starts in a new life, and
//! what is kept of what was replayed.
//!
//! Here: every write of the record. Not here: its bytes (`record.rs`), when the keeper writes (`keeper.rs`).

use crate::sync::{AtomicU64, Ordering, Ordering::Relaxed};
use crate::{Event, Generator, Host, Obstacle, Record, Server, Tick};
use std::time::Duration;

/// How far the lease runs ahead of the ID clock: what one fsync is good for, and at most what the ID
/// clock is ahead of the wall clock after a crash.
pub const LENGTH_MILLIS: i64 = 1_000;

/// After a failure.
pub(crate) const RETRY_EVERY: Duration = Duration::from_secs(1);

/// How often a restart point waits for a disk, that long each time: for a minute.
const RESTART_POINT_TRIES: u32 = 60;

/// The lease in force: ticks below its end may be returned, because a record that says so is
/// durable.
///
/// A new lease ends at 0: nothing may be returned yet.
#[derive(Debug, Default)]
pub struct Lease {
    end: AtomicU64,
}

impl Lease {
    /// The first tick that may not be returned.
    #[inline]
    #[must_use]
    pub fn end(&self) -> Tick {
        self.end.load(Ordering::Acquire)
    }

    /// Puts an end in force. It must be durable by now: a session may return an ID below it at
    /// once. An end that is not beyond the present one changes nothing.
    pub fn extend(&self, durable_end: Tick) {
        self.end.fetch_max(durable_end, Ordering::AcqRel);
    }
}

/// Who extends the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extender {
    /// The background worker, ahead of time.
    Keeper,
    /// A session that has come to the end of it.
    Caller,
}

/// What set the first tick of a server life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum FloorSource {
    /// Nothing: no lease, on disk or replayed; IDs start with the wall clock.
    Clock = 0,
    /// The end of the lease on disk.
    Lease = 1,
    /// The last lease replayed from WAL, of the server that wrote it.
    Replay = 2,
    /// The last checkpoint, where there is no lease on disk.
    Checkpoint = 3,
}

impl FloorSource {
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        let all = [Self::Clock, Self::Lease, Self::Replay, Self::Checkpoint];
        all.into_iter().find(|&it| it as u64 == number)
    }
}

/// The record on disk, if there is one.
///
/// # Errors
/// When the file cannot be read, or is not exactly what this version writes.
pub fn read<H: Host>(host: &H) -> Result<Option<Record>, Obstacle> {
    let bytes = host.read_lease()?;
    Ok(bytes.map(|bytes| Record::from_bytes(&bytes)).transpose()?)
}

/// The same, if it is of the space that the server is configured with.
pub(crate) fn recorded<H: Host>(
    host: &H,
    generator: &Generator,
) -> Result<Option<Record>, Obstacle> {
    match read(host)? {
        Some(Record { space, .. }) if space != generator.space() => {
            Err(Obstacle::SpaceDiffers { recorded: space, configured: generator.space() })
        }
        record => Ok(record),
    }
}

impl<H: Host> Server<'_, H> {
    /// Extends the lease to beyond `tick`, unless another process has done so meanwhile. The first call
    /// of a server life finds out where the counter starts.
    ///
    /// # Errors
    /// When the record on disk is another space's or is damaged, or the new one cannot be written;
    /// nothing is lost then, and the next call tries again.
    pub fn extend(&self, tick: Tick, extender: Extender) -> Result<(), Obstacle> {
        let extended = self.host.exclusive(|| self.extend_alone(tick, extender));
        if extender == Extender::Caller {
            // Also after a failure: it tries again until the disk works, whether IDs are asked for or not.
            self.host.wake_keeper();
        }
        if let Some(start) = extended? {
            self.log_start(&start);
        }
        Ok(())
    }

    fn extend_alone(&self, tick: Tick, extender: Extender) -> Result<Option<Start>, Obstacle> {
        let state = self.state;
        let mut started = None;
        if state.lease.end() == 0 {
            started = Some(self.start()?);
        } else if extender == Extender::Caller && state.lease.end() > tick {
            return Ok(None);
        }
        let newest = state.ticker.peek();
        let end = self.end_of_lease(tick.max(newest));
        if end <= state.lease.end() {
            // Whoever wrote while the keeper waited went further, as for a batch: a shorter record on disk
            // would not cover what is in force.
            return Ok(None);
        }
        let record = self.record(end);
        self.write(&record)?;
        // Before an ID below it can be taken, so before any row that has one.
        self.host.write_wal(&record.to_bytes());
        state.lease.extend(end);
        state.ticker_at_extension.store(newest, Relaxed);
        state.counters.renewals.fetch_add(1, Relaxed);
        if extender == Extender::Caller {
            state.counters.renewals_by_sessions.fetch_add(1, Relaxed);
        }
        Ok(started)
    }

    fn end_of_lease(&self, tick: Tick) -> Tick {
        let generator = &self.generator;
        let end = generator.tick_at(generator.unix_millis(tick).saturating_add(LENGTH_MILLIS));
        end.max(tick + 1).min(generator.space().end())
    }

    fn record(&self, end: Tick) -> Record {
        Record { space: self.generator.space(), node: self.generator.node(), end }
    }

    /// Writes the file, and notes whether that worked.
    fn write(&self, record: &Record) -> Result<(), Obstacle> {
        let written = self.host.write_lease(&record.to_bytes());
        self.state.note_lease_written(written);
        Ok(written?)
    }

    /// Raises the counter above everything that this server, or the one it was a standby of, may
    /// have issued before.
    fn start(&self) -> Result<Start, Obstacle> {
        let Self { generator, state, host } = self;
        let record = recorded(*host, generator)?;
        let (mut floor, source) = self.first_tick(record);
        let other_node = record.map(|it| it.node).filter(|&node| node != generator.node());
        if other_node.is_some() {
            // Within one millisecond, IDs sort by node first.
            floor = generator.whole_millis(floor);
        }
        let space = generator.space();
        if floor == 0 && host.wall_millis() < space.epoch.unix_millis() {
            return Err(Obstacle::EpochInFuture(space.epoch));
        }
        generator.check(floor).map_err(|error| self.obstacle(error))?;
        state.ticker.raise(floor);
        state.floor.store(floor, Relaxed);
        state.floor_source.store(source as u64, Relaxed);
        Ok(Start { floor, source, other_node })
    }

    /// Where this life starts, if this is the record on disk.
    fn first_tick(&self, record: Option<Record>) -> (Tick, FloorSource) {
        let Self { generator, state, host } = self;
        let replay = state.replayed().map_or(0, |millis| generator.tick_at(millis));
        match record {
            Some(record) if record.end >= replay => (record.end, FloorSource::Lease),
            _ if replay > 0 => (replay, FloorSource::Replay),
            _ => {
                // Only a clock that was set back makes the last checkpoint a sign of anything. Its time
                // is in whole seconds.
                let checkpoint = state.checkpoint_at_start.load(Relaxed).saturating_mul(1_000);
                if checkpoint > host.wall_millis() {
                    (generator.tick_at(checkpoint + 1_000), FloorSource::Checkpoint)
                } else {
                    (0, FloorSource::Clock)
                }
            }
        }
    }

    fn log_start(&self, &Start { floor, source, other_node }: &Start) {
        let Self { generator, host, .. } = self;
        if let Some(before) = other_node {
            host.log(Event::OtherNode { before, now: generator.node() });
        }
        let millis = generator.unix_millis(floor) - host.wall_millis();
        if source != FloorSource::Clock && millis > 0 {
            host.log(Event::StartsAhead { millis, source });
        }
    }

    /// Every ID that this server, or the one it is a standby of, has issued is below this tick.
    ///
    /// # Errors
    /// When the record on disk is another space's, is damaged or cannot be read.
    pub fn mark(&self) -> Result<Tick, Obstacle> {
        let first = match self.state.lease.end() {
            // While the first lease is being written, the file ends where no ID has been.
            0 => self.host.shared(|| self.first_of_life())?,
            _ => None,
        };
        Ok(first.unwrap_or_else(|| self.state.ticker.peek()))
    }

    /// Where this life starts; none once an ID was issued in it.
    fn first_of_life(&self) -> Result<Option<Tick>, Obstacle> {
        if self.state.lease.end() != 0 {
            return Ok(None);
        }
        let record = recorded(self.host, &self.generator)?;
        Ok(Some(self.first_tick(record).0))
    }

    /// Until the first ID of this life: keeps what was replayed in this server's own lease, for the time
    /// after a restart, which may not replay it again.
    ///
    /// # Errors
    /// As [`Server::extend`].
    pub fn keep_replayed(&self) -> Result<(), Obstacle> {
        let Some(replayed) = self.state.replayed() else { return Ok(()) };
        self.host.exclusive(|| {
            // Else promoted, and issuing by now.
            if self.state.lease.end() == 0 { self.keep(replayed) } else { Ok(()) }
        })
    }

    /// The same where replay passes a checkpoint, or ends: a restart may replay nothing of what comes before.
    /// A disk that is full or fails is waited for, as there is no other time for this; but no longer than
    /// [`RESTART_POINT_TRIES`], as a database that does not come up is worse than what another crash could do now.
    ///
    /// # Errors
    /// When the record cannot be read or written, is another space's, or is damaged.
    pub fn keep_before_restart_point(&self) -> Result<(), Obstacle> {
        for tries in 1.. {
            match self.keep_replayed() {
                Err(Obstacle::LeaseFile(failure)) if tries < RESTART_POINT_TRIES => {
                    if tries == 1 {
                        self.host.log(Event::KeeperFailed(failure.into()));
                    }
                    self.host.sleep(RETRY_EVERY);
                }
                done => return done,
            }
        }
        Ok(())
    }

    fn keep(&self, replayed: i64) -> Result<(), Obstacle> {
        // Only what was written in this life is known to be durable: a process that crashed may have left a
        // file that a power cut takes away.
        if self.state.kept.load(Relaxed) >= replayed {
            return Ok(());
        }
        let end = self.generator.tick_at(replayed);
        let recorded = recorded(self.host, &self.generator)?;
        let longer = recorded.filter(|record| record.end >= end);
        self.write(&longer.unwrap_or_else(|| self.record(end)))?;
        self.state.kept.store(replayed, Relaxed);
        Ok(())
    }

    /// At a clean stop, when no other process is left: a restart need not skip what is left of the lease.
    ///
    /// # Errors
    /// When that cannot be written; the lease as it is covers everything.
    pub fn shut_down(&self) -> Result<(), Obstacle> {
        match (self.state.lease.end(), self.state.replayed()) {
            (0, None) => Ok(()),
            (0, Some(replayed)) => self.keep(replayed),
            // Tickets at or past the end were taken, but never returned.
            (end, _) => self.write(&self.record(self.state.ticker.peek().min(end))),
        }
    }
}

/// Where the counter starts in a new life of the server.
struct Start {
    floor: Tick,
    source: FloorSource,
    /// The node that the record names, if it is not this one.
    other_node: Option<crate::Node>,
}
