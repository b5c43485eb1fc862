//! A process of a server, which is a coroutine: the host that the core runs on.
//!
//! A process suspends in calls of the host, and virtual time and other processes go on meanwhile. One that
//! ends in the middle, by a crash or because it is cancelled, unwinds through the core's code as a cancelled
//! statement does in PostgreSQL; so nothing leaks, locks are let go, and its stack is used again.

use crate::check::bound::MAX_SESSIONS;
use crate::check::log::Call;
use crate::clock::{MILLI, START};
use crate::disk::{CREATE, WRITE};
use crate::faults::{Fault, Point};
use crate::server::{Family, Life, Machine, Omission, Reading};
use crate::wal::Entry;
use corosensei::Yielder;
use snowflake_core::{Event, FILE_LEN, Failure, Host, Keeper, Obstacle, Record, Step};
use std::time::Duration;

/// The slots of processes that every server has; those of sessions follow.
pub const KEEPER: usize = 0;
pub const SYSTEM: usize = 1;
pub const SESSIONS: usize = 2;

/// What a process waits for.
pub enum Wait {
    Until(i64),
    /// Until others that could run have had their turn.
    Others,
    Lock,
    /// For the keeper to say that it has tried.
    Lease,
    /// For ever: it is cancelled.
    Cancelled,
    /// For what befalls its server to happen.
    Fault(Fault),
}

/// What a process has come to.
pub enum Done {
    Looked(Keeper, Option<Duration>),
    Replayed,
    Stopped(Result<(), Obstacle>),
    Answered(Result<(), Obstacle>),
}

pub struct Process<'a> {
    pub life: &'a Life,
    pub machine: &'a Machine,
    pub family: &'a Family,
    pub slot: usize,
    reading: &'a Reading,
    /// None in the postmaster, which nothing befalls.
    yielder: Option<&'a Yielder<(), Wait>>,
}

impl<'a> Process<'a> {
    pub fn new(life: &'a Life, slot: usize, yielder: Option<&'a Yielder<(), Wait>>) -> Self {
        let machine = &*life.machine;
        let session = slot.checked_sub(SESSIONS).unwrap_or(MAX_SESSIONS as usize);
        let reading = &life.readings[session];
        Self { life, machine, family: &machine.family, slot, reading, yielder }
    }

    /// A call of the host, to which anything can happen now and then. Returns whether it is to fail.
    #[inline]
    pub fn reach(&self, point: Point) -> bool {
        match self.family.quiet.get() {
            0 => self.befall(point),
            left => {
                self.family.quiet.set(left - 1);
                false
            }
        }
    }

    #[cold]
    fn befall(&self, point: Point) -> bool {
        let Some(yielder) = self.yielder else { return false };
        let fault = self.family.fate.decide(point, self);
        match fault {
            Fault::Nothing => {}
            Fault::Fails => {
                self.family.count("failed writes", true);
                return true;
            }
            Fault::Pause(micros) => self.pause(micros),
            Fault::Switch => yielder.suspend(Wait::Others),
            Fault::Step(offset) => self.life.set_clock(offset),
            Fault::Crash(_) | Fault::Failover => yielder.suspend(Wait::Fault(fault)),
        }
        false
    }

    /// What it does, for people.
    pub fn role(&self) -> String {
        let server = if self.machine.is_standby.get() { "standby" } else { "primary" };
        match self.slot {
            KEEPER => format!("keeper of the {server}"),
            SYSTEM => format!("startup of the {server}"),
            session => format!("session {} of the {server}", session - SESSIONS),
        }
    }

    pub fn pause(&self, micros: i64) {
        if let Some(yielder) = self.yielder {
            yielder.suspend(Wait::Until(self.family.now.get() + micros));
        }
    }

    /// A client makes a call.
    pub fn ask(&self) -> Call {
        self.reading.reset();
        let log = self.family.log.borrow();
        let (newest, shown) = (log.newest(), log.shown());
        Call { asked: self.family.now.get(), session: self.slot, newest, shown, low: 0, high: 0 }
    }

    /// An ID that was shown was too far ahead: of the wall clock at all times of the call, and of what this server had
    /// issued before where an ID was asked for.
    pub fn refused(&self, id: i64, call: &Call, is_asked_for_one: bool) {
        let millis = |id| self.life.generator.space().decode(id).unwrap().unix_millis;
        let wall = (START + self.reading.low.get()).div_euclid(MILLI);
        let issued = if is_asked_for_one && call.newest >= 0 { millis(call.newest) } else { 0 };
        // The next ID may be one of the next millisecond.
        if millis(id) + 1 - wall.max(issued) <= self.machine.max_drift.into() {
            self.family.log.borrow_mut().note_fault(format!("{id} was refused: {call:?}"));
        }
        self.family.count("shown too far ahead", true);
    }

    /// A client has been given this ID.
    #[inline]
    pub fn returned(&self, id: i64, call: &Call) {
        let (now, offset) = (self.family.now.get(), self.machine.offset.get());
        let call = Call { low: self.reading.low.get(), high: self.reading.high.get(), ..*call };
        let ceiling = &self.family.ceiling;
        let latest = || ceiling.at(now, offset).max(ceiling.of_reading(call.high));
        let durable = self.machine.disk.borrow().durable_end();
        let node = self.life.generator.node();
        self.family.log.borrow_mut().add(id, node, durable, &call, now, now + offset, latest);
    }

    fn read_clock(&self) {
        let (now, machine) = (self.family.now.get(), self.machine);
        self.reading.take(now + machine.believed.get(), now + machine.offset.get());
    }

    /// A call that waits until an ID clock that keeps the pace of real time has come near counts from here.
    fn read_id_clock(&self) {
        if let (Some(lead), true) = (self.life.lead(), self.slot >= SESSIONS) {
            self.reading.lead.set(self.reading.lead.get().max(lead));
            self.life.most_lead.set(self.life.most_lead.get().max(lead));
        }
    }

    fn cancel(&self) {
        self.family.count("cancelled", true);
        self.yielder.iter().for_each(|it| it.suspend(Wait::Cancelled));
    }

    /// Takes steps of writing the lease file, up to the first that fails.
    fn write(&self, steps: &[Step], offset: usize, bytes: &[u8]) -> Result<(), Failure> {
        let write_micros = self.life.state.counts().write_micros;
        self.family.ceiling.writes(write_micros);
        for &step in steps {
            let is_sync = matches!(step, Step::Sync | Step::SyncNew | Step::SyncDirectory);
            if self.family.omits(Omission::Lease) || is_sync && self.family.omits(Omission::Sync) {
                continue;
            }
            let fails = self.befall(Point::Write(step));
            self.machine.disk.borrow_mut().step(step, offset, bytes, fails);
            if fails {
                self.note_failed_write();
                return Err(Failure { step, errno: 0 });
            }
        }
        Ok(())
    }

    /// A COMMIT, which waits for standbys to have all that was written to WAL before it.
    pub fn commit(&self) {
        self.reach(Point::Flush);
        self.family.wal.borrow_mut().flush();
        self.reach(Point::Standbys);
        let mut wal = self.family.wal.borrow_mut();
        let end = wal.flushed();
        wal.confirm(end);
    }

    /// The first write of a lease after a start may be on disk although it failed.
    fn note_failed_write(&self) {
        if self.life.state.lease_end() == 0 && !self.life.is_in_recovery.get() {
            self.family.ceiling.crashed(self.family.now.get(), self.life.lead_of_lease());
        }
    }
}

impl Host for Process<'_> {
    #[inline]
    fn wall_millis(&self) -> i64 {
        self.reach(Point::Wall);
        self.read_clock();
        self.machine.wall().div_euclid(MILLI)
    }

    fn clocks(&self) -> [i64; 3] {
        let before = self.family.now.get();
        self.reach(Point::Clocks);
        self.read_clock();
        self.read_id_clock();
        [before, self.machine.wall(), self.family.now.get()]
    }

    #[inline]
    fn max_drift_millis(&self) -> u32 {
        self.machine.max_drift
    }

    fn max_sessions(&self) -> i64 {
        MAX_SESSIONS
    }

    fn is_in_recovery(&self) -> bool {
        self.life.is_in_recovery.get()
    }

    fn system_identifier(&self) -> u64 {
        1
    }

    fn exclusive<T>(&self, work: impl FnOnce() -> T) -> T {
        struct Unlock<'a>(&'a Life);
        impl Drop for Unlock<'_> {
            fn drop(&mut self) {
                self.0.is_locked.set(false);
                self.0.was_unlocked.set(true);
            }
        }
        self.reach(Point::Lock);
        while self.life.is_locked.replace(true) {
            self.yielder.iter().for_each(|it| it.suspend(Wait::Lock));
        }
        let _unlock = Unlock(self.life);
        work()
    }

    fn read_lease(&self) -> Result<Option<Vec<u8>>, Failure> {
        if self.reach(Point::Read) {
            return Err(Failure { step: Step::Read, errno: 0 });
        }
        Ok(self.machine.disk.borrow().read())
    }

    fn create_lease(&self, file: &[u8; FILE_LEN]) -> Result<(), Failure> {
        self.write(&CREATE, 0, file)
    }

    fn sync_directory(&self) -> Result<(), Failure> {
        self.write(&[Step::SyncDirectory], 0, &[])
    }

    fn write_lease(&self, offset: u64, record: &[u8; Record::LEN]) -> Result<(), Failure> {
        self.write(&WRITE, offset as usize, record)
    }

    fn write_wal(&self, record: &[u8; Record::LEN]) -> u64 {
        self.reach(Point::Insert);
        if !self.family.omits(Omission::WalRecord) && !self.family.omits(Omission::Lease) {
            self.family.wal.borrow_mut().insert(Entry::Lease(*record));
        }
        self.reach(Point::Flush);
        let mut wal = self.family.wal.borrow_mut();
        if !self.family.omits(Omission::WalFlush) {
            wal.flush();
        }
        wal.len() as u64
    }

    fn wait_for_standbys(&self, end: u64) -> bool {
        self.reach(Point::Standbys);
        if !self.family.omits(Omission::Standbys) {
            let mut wal = self.family.wal.borrow_mut();
            let end = wal.flushed().min(end as usize);
            wal.confirm(end);
        }
        self.family.count("lease extensions", true);
        self.reach(Point::Confirmed);
        true
    }

    /// Wakes up a little late; a statement may be cancelled then.
    fn sleep(&self, time: Duration) {
        self.reach(Point::Sleep);
        self.family.count("paced waits", true);
        let (late, is_cancelled) = self.family.fate.of_sleep();
        let millis = time.as_millis() as i64 + 1;
        if self.slot >= SESSIONS {
            self.reading.foresee(self.machine.wall() - START + millis * MILLI);
        }
        self.pause(millis * MILLI + late);
        if is_cancelled && self.slot >= SESSIONS {
            self.cancel();
        }
    }

    fn has_keeper(&self) -> bool {
        self.family.has_keeper
    }

    fn wake_keeper(&self) {
        self.life.keeper_is_woken.set(true);
    }

    /// A statement may be cancelled when it is woken.
    fn wait_for_lease(&self, mut is_over: impl FnMut() -> bool) {
        self.reach(Point::Await);
        while !is_over() {
            self.yielder.iter().for_each(|it| it.suspend(Wait::Lease));
            if self.family.fate.of_sleep().1 {
                self.cancel();
            }
        }
    }

    fn wake_sessions(&self) {
        self.life.sessions_are_woken.set(true);
    }

    fn log(&self, event: Event) {
        if let Event::OtherNode { .. } = event {
            self.family.count("other nodes", true);
        }
    }

    #[inline]
    fn preempt(&self) {
        self.reach(Point::Preempt);
    }
}
