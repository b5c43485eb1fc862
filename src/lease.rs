//! Who extends the lease, and where the counter starts in a new life of the server.

use crate::error::Refusal;
use crate::shared::{Shared, WRITER};
use crate::{clock, error, lease_file, node, wal};
use pgrx::pg_sys::elog::PgLogLevel;
use snowflake_core::{Generator, Record, Tick};
use std::sync::atomic::Ordering::Relaxed;

/// How far the lease runs ahead of the ID clock: what one fsync is good for, and at most what the ID
/// clock is ahead of the wall clock after a crash.
pub const LENGTH_MILLIS: i64 = 1_000;

/// Who extends the lease.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Extender {
    /// The background worker, ahead of time.
    Keeper,
    /// A session that has come to the end of it.
    Caller,
}

/// What set the first tick of this server life.
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
    /// What set the first tick of this server life, once it is set.
    pub fn of(shared: &Shared) -> Option<Self> {
        let all = [Self::Clock, Self::Lease, Self::Replay, Self::Checkpoint];
        let source = shared.counters.floor_source.load(Relaxed);
        all.into_iter().find(|&it| shared.lease.end() != 0 && it as u64 == source)
    }

    /// Its name in `snowflake_status()`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Lease => "lease",
            Self::Replay => "replay",
            Self::Checkpoint => "checkpoint",
        }
    }
}

/// Extends the lease to beyond `tick`, unless somebody else has done so meanwhile. The first call of
/// a server life finds out where the counter starts.
///
/// # Errors
/// When the record on disk is another space's or is damaged, or the new one cannot be written;
/// nothing is lost then, and the next call tries again.
pub fn extend(
    generator: &Generator,
    shared: &Shared,
    tick: Tick,
    extender: Extender,
) -> Result<(), Refusal> {
    let extended = extend_alone(generator, shared, tick, extender);
    if extender == Extender::Caller {
        // Also after a failure: it tries again until the disk works, whether IDs are asked for or not.
        shared.wake_keeper();
    }
    if let Some(start) = extended? {
        start.log(generator);
    }
    Ok(())
}

fn extend_alone(
    generator: &Generator,
    shared: &Shared,
    tick: Tick,
    extender: Extender,
) -> Result<Option<Start>, Refusal> {
    let _writer = WRITER.exclusive();
    let mut started = None;
    if shared.lease.end() == 0 {
        started = Some(Start::find(generator, shared)?);
    } else if extender == Extender::Caller && shared.lease.end() > tick {
        return Ok(None);
    }
    let newest = shared.ticker.peek();
    let end = end_of_lease(generator, tick.max(newest));
    if end <= shared.lease.end() {
        // Whoever wrote while the keeper waited went further, as for a batch: a shorter record on disk
        // would not cover what is in force.
        return Ok(None);
    }
    let record = record(generator, end);
    write(shared, &record)?;
    // Before an ID below it can be taken, so before any row that has one.
    wal::write(&record);
    shared.lease.extend(end);
    shared.ticker_at_extension.store(newest, Relaxed);
    shared.counters.renewals.fetch_add(1, Relaxed);
    if extender == Extender::Caller {
        shared.counters.renewals_by_sessions.fetch_add(1, Relaxed);
    }
    Ok(started)
}

fn end_of_lease(generator: &Generator, tick: Tick) -> Tick {
    let end = generator.tick_at(generator.unix_millis(tick).saturating_add(LENGTH_MILLIS));
    end.max(tick + 1).min(generator.space().end())
}

/// Writes the file, and notes whether that worked.
fn write(shared: &Shared, record: &Record) -> Result<(), Refusal> {
    let written = lease_file::write(record);
    shared.note_lease_written(written);
    Ok(written?)
}

fn record(generator: &Generator, end: Tick) -> Record {
    Record { space: generator.space(), node: generator.node(), end }
}

/// Where the counter starts in a new life of the server.
struct Start {
    floor: Tick,
    source: FloorSource,
    record: Option<Record>,
}

impl Start {
    /// Raises the counter above everything that this server, or the one it was a standby of, may
    /// have issued before.
    fn find(generator: &Generator, shared: &Shared) -> Result<Self, Refusal> {
        let record = recorded(generator)?;
        let (mut floor, source) = floor(generator, shared, record);
        if record.is_some_and(|record| record.node != generator.node()) {
            // Within one millisecond, IDs sort by node first.
            floor = generator.whole_millis(floor);
        }
        let space = generator.space();
        if floor == 0 && clock::wall_millis() < space.epoch.unix_millis() {
            return Err(Refusal::EpochInFuture(space.epoch));
        }
        if generator.check(floor).is_err() {
            return Err(Refusal::Exhausted(space));
        }
        shared.ticker.raise(floor);
        shared.counters.floor.store(floor, Relaxed);
        shared.counters.floor_source.store(source as u64, Relaxed);
        Ok(Self { floor, source, record })
    }

    fn log(&self, generator: &Generator) {
        if let Some(record) = self.record.filter(|record| record.node != generator.node()) {
            error::log_other_node(record.node, generator.node());
        }
        let drift = generator.unix_millis(self.floor) - clock::wall_millis();
        if self.source != FloorSource::Clock && drift > 0 {
            error::log_start_with_drift(drift, self.source);
        }
    }
}

/// The record on disk, if there is one.
///
/// # Errors
/// When it is damaged, or of another space than the server is configured with.
pub fn recorded(generator: &Generator) -> Result<Option<Record>, Refusal> {
    let record = lease_file::read()?;
    match record {
        Some(Record { space, .. }) if space != generator.space() => {
            Err(Refusal::SpaceDiffers { recorded: space, configured: generator.space() })
        }
        record => Ok(record),
    }
}

fn floor(generator: &Generator, shared: &Shared, record: Option<Record>) -> (Tick, FloorSource) {
    let replay = shared.replayed().map_or(0, |millis| generator.tick_at(millis));
    match record {
        Some(record) if record.end >= replay => (record.end, FloorSource::Lease),
        _ if replay > 0 => (replay, FloorSource::Replay),
        _ => {
            // Only a clock that was set back makes the last checkpoint a sign of anything. Its time
            // is in whole seconds.
            let checkpoint = shared.checkpoint_at_start.load(Relaxed).saturating_mul(1_000);
            if checkpoint > clock::wall_millis() {
                (generator.tick_at(checkpoint + 1_000), FloorSource::Checkpoint)
            } else {
                (0, FloorSource::Clock)
            }
        }
    }
}

/// Every ID that this server, or the one it is a standby of, has issued is below this tick.
///
/// # Errors
/// As [`recorded`].
pub fn mark(generator: &Generator, shared: &Shared) -> Result<Tick, Refusal> {
    if shared.lease.end() == 0 {
        // While the first lease is being written, the file ends where no ID has been.
        let _reader = WRITER.share();
        if shared.lease.end() == 0 {
            // No ID in this life yet.
            return Ok(floor(generator, shared, recorded(generator)?).0);
        }
    }
    Ok(shared.ticker.peek())
}

/// Until the first ID of this life: keeps what was replayed in this server's own lease, for the time after
/// a restart, which does not replay it again. `replayed` is what [`Shared::replayed`] said.
///
/// # Errors
/// As [`extend`].
pub fn follow(generator: &Generator, shared: &Shared, replayed: i64) -> Result<(), Refusal> {
    let _writer = WRITER.exclusive();
    if shared.lease.end() != 0 {
        // Promoted, and issuing by now.
        return Ok(());
    }
    keep(generator, shared, replayed)
}

fn keep(generator: &Generator, shared: &Shared, replayed: i64) -> Result<(), Refusal> {
    let end = generator.tick_at(replayed);
    match recorded(generator)? {
        Some(record) if record.end >= end => {
            // A write that failed after the record had taken its place has worked in the end.
            shared.note_lease_written(Ok(()));
            Ok(())
        }
        _ => write(shared, &record(generator, end)),
    }
}

/// At shutdown, when no other process is left: a restart need not skip what is left of the lease.
pub fn write_exact_mark(shared: &Shared) {
    let end = shared.lease.end();
    // Tickets at or past the end were taken, but never returned.
    let mark = shared.ticker.peek().min(end);
    let written = match shared.replayed() {
        None if end == 0 => return,
        Some(replayed) if end == 0 => node::generator().and_then(|it| keep(&it, shared, replayed)),
        _ => node::generator().and_then(|it| write(shared, &record(&it, mark))),
    };
    if let Err(refusal) = written {
        refusal.report_as(PgLogLevel::WARNING);
    }
}
