//! The promise that outlives the process: who extends it, how far, and where the counter starts in a new life.
//!
//! Here: every extension. Not here: bytes and file (`record.rs`, `slots.rs`), when the keeper writes (`keeper.rs`),
//! what is kept of what was replayed (`replayed.rs`).

use crate::sync::{AtomicI64, AtomicU64, Ordering, Ordering::Relaxed};
use crate::{Event, Generator, Host, Obstacle, Record, Server, Tick, read_lease};
use std::time::Duration;

/// The least that a lease lasts after its write: how far the ID clock can be ahead of the wall clock after a crash.
pub const LEAST_MILLIS: i64 = 1_000;
/// The most, however slow the disk is.
pub const MOST_MILLIS: i64 = 60_000;
/// Between the two, a lease lasts for this many more writes.
pub const WRITES: i64 = 4;

/// How long a session waits for the keeper to begin.
const PATIENCE_MICROS: i64 = 1_000_000;

/// After a failure.
pub(crate) const RETRY_EVERY: Duration = Duration::from_secs(1);

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

/// What sessions ask of the keeper, which writes for all of them: so none of them is in a write where it cannot be
/// cancelled, and there is one write at a time.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    /// The least end of the lease that a session waits for.
    wanted: AtomicU64,
    /// How many extensions the keeper has tried, and how many of these are over. A request is answered by one that
    /// began after it was made.
    begun: AtomicU64,
    ended: AtomicU64,
    /// When it began the last one, by the monotonic clock.
    begun_at: AtomicI64,
    /// 1 while the keeper waits for standbys, and writes nothing.
    standbys_are_asked: AtomicU64,
}

impl Requests {
    pub(crate) fn wanted(&self) -> Tick {
        self.wanted.load(Relaxed)
    }

    /// No extension is under way.
    pub(crate) fn reset(&self) {
        self.standbys_are_asked.store(0, Ordering::SeqCst);
        self.ended.store(self.begun.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

/// Who extends the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extender {
    /// The background worker.
    Keeper,
    /// A session that has come to the end of it.
    Caller,
    /// A session that needs it written, and not in force: it has no ID to return. If its row is to outlive this server,
    /// its COMMIT waits for standbys, which have the lease then. It does not: two servers that are each other's standbys,
    /// as subscribers can be, would wait for each other.
    Witness,
}

/// What an extension of the lease waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delay {
    /// The disk.
    Write,
    /// Synchronous standbys.
    Standbys,
}

/// What set the first tick of a server life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum FloorSource {
    /// Nothing: no ID was issued before; IDs start with the wall clock.
    Clock = 0,
    /// The end of the lease on disk.
    Lease = 1,
    /// The last lease replayed from WAL, of the server that wrote it.
    Replay = 2,
    /// The last checkpoint, where there is no lease on disk.
    Checkpoint = 3,
    /// There is no lease on disk, so what was issued before is not known: as far after the wall clock as load may
    /// have pushed the ID clock.
    Unknown = 4,
}

impl FloorSource {
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        let all = [Self::Clock, Self::Lease, Self::Replay, Self::Checkpoint, Self::Unknown];
        all.into_iter().find(|&it| it as u64 == number)
    }
}

/// The record on disk, if it is of the space that the server is configured with. One of before the first ID fixes
/// nothing yet.
pub(crate) fn recorded<H: Host>(
    host: &H,
    generator: &Generator,
) -> Result<Option<Record>, Obstacle> {
    match read_lease(host)? {
        Some(record) => of_space(record, generator).map(Some),
        None => Ok(None),
    }
}

fn of_space(record: Record, generator: &Generator) -> Result<Record, Obstacle> {
    let configured = generator.space();
    if record.end == 0 || record.space == configured {
        Ok(record)
    } else {
        Err(Obstacle::SpaceDiffers { recorded: record.space, configured })
    }
}

/// Makes the lease file of a server that has issued nothing, unless it has one: from now on, one that is missing is
/// lost.
///
/// # Errors
/// When it cannot be read or written, or is damaged.
pub fn create_lease<H: Host>(
    state: &crate::State,
    host: &H,
    space: crate::Space,
) -> Result<(), Obstacle> {
    host.exclusive(|| match read_lease(host)? {
        Some(_) => Ok(()),
        // It was removed, and comes back with the next extension; or this life ends before, and the next one warns.
        None if state.written() != 0 => Ok(()),
        None => {
            let node = crate::Node::default();
            let system = host.system_identifier();
            state.write_lease(host, Record { space, node, end: 0, system, serial: 0 })
        }
    })
}

impl<H: Host> Server<'_, H> {
    /// Extends the lease to beyond `tick`, unless another process has done so meanwhile. The first call
    /// of a server life finds out where the counter starts.
    ///
    /// # Errors
    /// When the record on disk is another space's or is damaged, or the new one cannot be written;
    /// nothing is lost then, and the next call tries again.
    pub fn extend(&self, tick: Tick, extender: Extender) -> Result<(), Obstacle> {
        match extender {
            Extender::Keeper => {
                let requests = &self.state.requests;
                requests.begun_at.store(self.monotonic(), Relaxed);
                let number = requests.begun.fetch_add(1, Ordering::SeqCst) + 1;
                let extended = self.extend_alone(tick, extender);
                requests.ended.store(number, Ordering::SeqCst);
                self.host.wake_sessions();
                extended
            }
            _ if self.host.has_keeper() => self.ask_keeper(tick, extender),
            _ => self.extend_as_session(tick, extender),
        }
    }

    /// What keeps callers waiting, and for how many milliseconds so far: the lease is used up, and the keeper has been
    /// at the next one for longer than the shortest lasts. They are not refused, so [`Server::check`] does not know.
    #[must_use]
    pub fn delay(&self) -> Option<(Delay, i64)> {
        let requests = &self.state.requests;
        let is_over =
            requests.begun.load(Ordering::SeqCst) == requests.ended.load(Ordering::SeqCst);
        let now = self.generator.tick_at(self.wall_millis()).max(self.state.ticker.peek());
        let millis = (self.monotonic() - requests.begun_at.load(Relaxed)) / 1_000;
        if is_over || now < self.state.lease.end() || millis < LEAST_MILLIS {
            return None;
        }
        let asks = requests.standbys_are_asked.load(Ordering::SeqCst) != 0;
        Some((if asks { Delay::Standbys } else { Delay::Write }, millis))
    }

    /// Whether the lease is as far as this process needs it.
    pub(crate) fn covers(&self, tick: Tick, extender: Extender) -> bool {
        let end = match extender {
            Extender::Keeper | Extender::Caller => self.state.lease.end(),
            Extender::Witness => self.state.written(),
        };
        tick < end
    }

    fn ask_keeper(&self, tick: Tick, extender: Extender) -> Result<(), Obstacle> {
        let Self { state, host, .. } = self;
        let requests = &state.requests;
        loop {
            requests.wanted.fetch_max(tick + 1, Ordering::SeqCst);
            let begun = requests.begun.load(Ordering::SeqCst);
            host.wake_keeper();
            let since = self.monotonic();
            // One that does not begin in time is stopped, or gone.
            let is_absent = || {
                let is_idle = requests.begun.load(Ordering::SeqCst) == begun
                    && requests.ended.load(Ordering::SeqCst) == begun;
                let is_away = extender == Extender::Witness
                    && requests.standbys_are_asked.load(Ordering::SeqCst) != 0;
                !host.has_keeper()
                    || is_idle && self.monotonic() - since > PATIENCE_MICROS
                    || is_away && !self.covers(tick, extender)
            };
            host.wait_for_lease(|| {
                self.covers(tick, extender)
                    || requests.ended.load(Ordering::SeqCst) > begun
                    || is_absent()
            });
            if self.covers(tick, extender) {
                return Ok(());
            }
            if is_absent() {
                return self.extend_as_session(tick, extender);
            }
            if let Some(failure) = state.lease_failure() {
                return Err(failure.into());
            }
            // What else may have kept it from that.
            self.check()?;
            recorded(*host, &self.generator)?;
        }
    }

    /// There is no keeper: no worker slot is free, or the administrator has just ended it; or it waits for standbys.
    fn extend_as_session(&self, tick: Tick, extender: Extender) -> Result<(), Obstacle> {
        let extended = self.extend_alone(tick, extender);
        // Also after a failure: it tries again until the disk works, whether IDs are asked for or not.
        self.host.wake_keeper();
        extended
    }

    fn extend_alone(&self, tick: Tick, extender: Extender) -> Result<(), Obstacle> {
        let Self { state, host, .. } = self;
        let Some(written) = host.exclusive(|| self.write_extension(tick, extender))? else {
            return Ok(());
        };
        let are_asked = &state.requests.standbys_are_asked;
        match extender {
            Extender::Witness => return Ok(()),
            Extender::Caller => {}
            Extender::Keeper => {
                are_asked.store(1, Ordering::SeqCst);
                // Those that do not need them.
                host.wake_sessions();
            }
        }
        // Nothing is held here: the standbys may be gone, and with them the end of this wait.
        let have_it = host.wait_for_standbys(written.wal);
        if extender == Extender::Keeper {
            are_asked.store(0, Ordering::SeqCst);
        }
        if have_it {
            state.lease.extend(written.record.end);
            state.ticker_at_extension.store(written.newest, Relaxed);
            state.counters.renewals.fetch_add(1, Relaxed);
            let for_sessions = extender != Extender::Keeper || written.was_wanted;
            state.counters.renewals_by_sessions.fetch_add(for_sessions.into(), Relaxed);
            self.note_time(self.monotonic() - written.begin);
        }
        Ok(())
    }

    /// Writes a longer lease to disk and to WAL; none if there is no need to.
    fn write_extension(&self, tick: Tick, extender: Extender) -> Result<Option<Written>, Obstacle> {
        let Self { state, host, .. } = self;
        let before = state.lease.end();
        if before == 0 && state.is_started.load(Ordering::Acquire) == 0 {
            self.start()?;
        } else if extender != Extender::Keeper && self.covers(tick, extender) {
            return Ok(None);
        }
        let wanted = state.requests.wanted();
        let newest = state.ticker.peek();
        let written = state.written();
        // Another process may have written while this one waited, and gone further, as for a batch; and may wait for
        // standbys. A shorter record on disk would not cover what is in force then.
        let end = self.end_of_lease(tick.max(newest).max(wanted.saturating_sub(1))).max(written);
        if end <= before {
            return Ok(None);
        }
        let record = self.record(end);
        let begin = self.monotonic();
        if end > written {
            state.write_lease(*host, record)?;
        }
        // Before an ID below it can be taken, so before any row that has one; and before a row that was witnessed.
        let wal = host.write_wal(&record.to_bytes());
        state.written.store(end, Ordering::Release);
        Ok(Some(Written { record, wal, newest, begin, was_wanted: wanted > before }))
    }

    /// Far enough for the write that makes it durable, and for what the lease is to last after that.
    fn end_of_lease(&self, tick: Tick) -> Tick {
        let Self { generator, state, .. } = self;
        let write = state.write_micros.load(Relaxed) / 1_000;
        let millis = generator.unix_millis(tick).saturating_add(write.min(MOST_MILLIS));
        let end = generator.tick_at(millis.saturating_add(self.length_millis()));
        end.max(tick + 1).min(generator.space().end())
    }

    /// What the lease lasts after a write, in milliseconds.
    pub(crate) fn length_millis(&self) -> i64 {
        let write = self.state.write_micros.load(Relaxed) / 1_000;
        (WRITES * write).clamp(LEAST_MILLIS, MOST_MILLIS)
    }

    /// Takes note of how long a write took. A disk that was slow once may be again.
    fn note_time(&self, micros: i64) {
        let Self { state, .. } = self;
        let length = self.length_millis();
        let before = state.write_micros.load(Relaxed);
        state.write_micros.store(micros.max(before - before / 8), Relaxed);
        if micros / 1_000 > length / 2 {
            state.counters.slow_writes.fetch_add(1, Relaxed);
            self.log_each_minute(&state.slow_write_logged, Event::SlowWrite(micros / 1_000));
        }
    }

    fn record(&self, end: Tick) -> Record {
        let Self { generator, host, .. } = self;
        let (space, node) = (generator.space(), generator.node());
        Record { space, node, end, system: host.system_identifier(), serial: 0 }
    }

    /// Raises the counter above everything that this server, or the one it was a standby of, may
    /// have issued before.
    fn start(&self) -> Result<(), Obstacle> {
        let Self { generator, state, host } = self;
        let record = recorded(*host, generator)?;
        let (floor, source) = self.first_tick(record)?;
        let space = generator.space();
        if floor == 0 && self.wall_millis() < space.epoch.unix_millis() {
            return Err(Obstacle::EpochInFuture(space.epoch));
        }
        generator.check(floor).map_err(|error| self.obstacle(error))?;
        state.ticker.raise(floor);
        state.floor.store(floor, Relaxed);
        state.floor_source.store(source as u64, Relaxed);
        state.is_started.store(1, Ordering::Release);
        self.log_start(floor, source, record);
        Ok(())
    }

    /// Where this life starts, if this is the record on disk.
    fn first_tick(&self, record: Option<Record>) -> Result<(Tick, FloorSource), Obstacle> {
        let Self { generator, state, .. } = self;
        let millis = |record: &Record| record.end_unix_millis();
        let replayed = state.replayed();
        let (newest, source) = match (record.filter(|it| it.end != 0), replayed) {
            (Some(record), Some(replayed)) if millis(&record) < millis(&replayed) => {
                (replayed, FloorSource::Replay)
            }
            (Some(record), _) => (record, FloorSource::Lease),
            (None, Some(replayed)) => (replayed, FloorSource::Replay),
            (None, None) => return Ok(self.first_tick_of_all(record.is_some())),
        };
        let end = of_space(newest, generator)?.end;
        // Within one millisecond, IDs sort by node first, and one of that of the end itself may have been shown.
        let is_other = newest.node != generator.node();
        Ok((if is_other { generator.whole_millis(end + 1) } else { end }, source))
    }

    /// Where it starts if no lease says so.
    fn first_tick_of_all(&self, has_file: bool) -> (Tick, FloorSource) {
        let Self { generator, state, host } = self;
        let wall = self.wall_millis();
        let has_lost_file = !has_file && wall >= generator.space().epoch.unix_millis();
        let beyond_load = has_lost_file
            .then(|| (wall + i64::from(host.max_drift_millis()), FloorSource::Unknown));
        // Only a clock that was set back makes the last checkpoint a sign of anything. Its time is in whole seconds.
        let checkpoint = state.checkpoint_at_start.load(Relaxed).saturating_mul(1_000);
        let beyond_checkpoint = (checkpoint > wall)
            .then(|| (checkpoint.saturating_add(1_000), FloorSource::Checkpoint));
        let floors = [beyond_load, beyond_checkpoint].into_iter().flatten();
        let last = floors.max_by_key(|&(millis, _)| millis);
        last.map_or((0, FloorSource::Clock), |(millis, source)| (generator.tick_at(millis), source))
    }

    fn log_start(&self, floor: Tick, source: FloorSource, record: Option<Record>) {
        let Self { generator, host, .. } = self;
        let system = host.system_identifier();
        match record {
            None if source != FloorSource::Replay => host.log(Event::NoLease),
            Some(record) if record.system != 0 && record.system != system => {
                host.log(Event::OtherSystem { recorded: record.system, now: system });
            }
            _ => {}
        }
        if let Some(Record { node: before, .. }) = record.filter(|it| it.end != 0)
            && before != generator.node()
        {
            host.log(Event::OtherNode { before, now: generator.node() });
        }
        let millis = generator.unix_millis(floor) - host.wall_millis();
        if !matches!(source, FloorSource::Clock | FloorSource::Unknown) && millis > 0 {
            host.log(Event::StartsAhead { millis, source });
        }
    }

    /// Every ID that this server, or the one it is a standby of, has issued is below this tick.
    ///
    /// # Errors
    /// When the record on disk is another space's, is damaged or cannot be read.
    pub fn mark(&self) -> Result<Tick, Obstacle> {
        let is_started = || self.state.is_started.load(Ordering::Acquire) != 0;
        if !is_started() {
            let first = self.first_tick(recorded(self.host, &self.generator)?)?.0;
            // Else the file may be of this life, and end where no ID has been.
            if !is_started() {
                return Ok(first);
            }
        }
        Ok(self.state.ticker.peek())
    }

    /// At a clean stop, when no other process is left: a restart need not skip what is left of the lease.
    ///
    /// # Errors
    /// When that cannot be written; the lease as it is covers everything.
    pub fn shut_down(&self) -> Result<(), Obstacle> {
        let Self { state, host, .. } = self;
        match (state.written(), state.replayed()) {
            (0, None) => Ok(()),
            (0, Some(replayed)) => state.keep(*host, replayed),
            // Tickets at or past the end were taken, but never returned.
            (end, _) => state.write_lease(*host, self.record(state.ticker.peek().min(end))),
        }
    }
}

/// A lease that is durable here, and not in force yet.
struct Written {
    record: Record,
    /// Where it ends in WAL.
    wal: u64,
    /// The counter before.
    newest: Tick,
    /// When the write began, by the monotonic clock.
    begin: i64,
    /// Whether a session waited for it.
    was_wanted: bool,
}
