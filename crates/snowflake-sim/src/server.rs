//! What a server consists of, from what lasts longest to what is lost first: a [`Family`] shares an identity,
//! a [`Machine`] has a disk and clocks, a [`Life`] is what the processes of a running server share.

use crate::check::bound::{Ceiling, MAX_SESSIONS};
use crate::check::log::Log;
use crate::clock::{MILLI, NEVER, START};
use crate::disk::Disk;
use crate::faults::Fate;
use crate::wal::{Control, Entry, Wal};
use snowflake_core::{Generator, State, Tick};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// How often what happened.
pub type Counts = BTreeMap<&'static str, u64>;

/// A primary and its standbys, which take each other's place.
pub struct Family {
    /// True time, and every machine's clock that never steps.
    pub now: Cell<i64>,
    /// This many calls of the host from now, fate is asked what befalls the process.
    pub quiet: Cell<u32>,
    pub fate: Fate,
    /// Whether a process other than the one that runs could.
    pub others_can_run: Cell<bool>,
    pub has_standby: Cell<bool>,
    pub has_keeper: bool,
    pub wal: RefCell<Wal>,
    pub log: RefCell<Log>,
    pub ceiling: Ceiling,
    pub counts: RefCell<Counts>,
    pub omits: Option<Omission>,
}

/// What a host leaves out, for controls: what is found then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Omission {
    /// To write the lease, to its file and to WAL.
    Lease,
    /// Both fsyncs of the file.
    Sync,
    WalRecord,
    WalFlush,
    /// To wait for the standby to have it.
    Standbys,
    /// To keep what was replayed before a checkpoint to restart from.
    KeepAtCheckpoint,
    /// The same where replay ends.
    KeepAtEnd,
    /// To wait for a disk that fails then.
    WaitToKeep,
    /// To show the server IDs of others.
    Showing,
}

impl Family {
    pub fn omits(&self, omission: Omission) -> bool {
        self.omits == Some(omission)
    }

    pub fn count(&self, event: &'static str, times: impl Into<u64>) {
        *self.counts.borrow_mut().entry(event).or_default() += times.into();
    }
}

pub struct Machine {
    pub family: Rc<Family>,
    /// Its settings.
    pub generator: Cell<Generator>,
    pub max_drift: u32,
    /// Wall clock minus true time: changes by steps only.
    pub offset: Cell<i64>,
    /// The least that it can be believed to be: a step forward is in doubt for a while.
    pub believed: Cell<i64>,
    pub disk: RefCell<Disk>,
    pub control: Cell<Control>,
    /// Whether it is to go on replaying where the WAL that it has ends.
    pub is_standby: Cell<bool>,
    /// So much WAL has it received, as a standby.
    pub received: Cell<usize>,
}

impl Machine {
    /// Microseconds since 1970.
    pub fn wall(&self) -> i64 {
        START + self.family.now.get() + self.offset.get()
    }

    /// Sets the wall clock; returns its offset before. Of a step forward, a server may not have taken note when the
    /// next one comes.
    pub fn set_clock(&self, offset: i64) -> i64 {
        self.believed.set(self.believed.get().min(offset));
        self.offset.replace(offset)
    }

    /// The start of a tick's millisecond, in true time.
    pub fn time_of(&self, tick: Tick) -> i64 {
        self.generator.get().unix_millis(tick) * MILLI - START
    }

    /// Writes a checkpoint, from which a restart begins.
    pub fn checkpoint(&self, redo: usize) {
        let control = Control { redo, time: self.wall().div_euclid(1_000 * MILLI) };
        let mut wal = self.family.wal.borrow_mut();
        wal.insert(Entry::Checkpoint(control));
        wal.flush();
        self.control.set(control);
    }

    /// A copy of its files on another machine, whose wall clock has this offset.
    pub fn backup(&self, generator: Generator, max_drift: u32, offset: i64) -> Self {
        Self {
            family: self.family.clone(),
            generator: Cell::new(generator),
            max_drift,
            offset: Cell::new(offset),
            believed: Cell::new(offset),
            disk: self.disk.clone(),
            control: self.control.clone(),
            is_standby: Cell::new(true),
            received: Cell::new(self.control.get().redo),
        }
    }
}

/// All that is in memory, from a start to a crash or a stop.
pub struct Life {
    pub machine: Rc<Machine>,
    pub generator: Generator,
    pub state: State,
    /// When the last checkpoint before it was: seconds since 1970.
    pub checkpoint_at_start: i64,
    pub is_in_recovery: Cell<bool>,
    pub is_stopping: Cell<bool>,
    /// How far replay has got.
    pub replayed: Cell<usize>,
    pub is_locked: Cell<bool>,
    pub was_unlocked: Cell<bool>,
    pub keeper_is_woken: Cell<bool>,
    pub sessions_are_woken: Cell<bool>,
    /// By session; the last one is for all processes that are none.
    pub readings: [Reading; MAX_SESSIONS as usize + 1],
    /// The most that any of them has had for a lead.
    pub most_lead: Cell<i64>,
}

/// The earliest that a call can have believed it to be, and the latest that the wall clock has said during it or will
/// when it wakes up, in true time; and the most that the ID clock was ahead of true time when the call looked at both.
#[derive(Clone, Debug)]
pub struct Reading {
    pub low: Cell<i64>,
    pub high: Cell<i64>,
    pub lead: Cell<i64>,
}

impl Default for Reading {
    fn default() -> Self {
        Self { low: Cell::new(NEVER), high: Cell::new(-NEVER), lead: Cell::new(-NEVER) }
    }
}

impl Reading {
    pub fn reset(&self) {
        self.low.set(NEVER);
        self.high.set(-NEVER);
        self.lead.set(-NEVER);
    }

    #[inline]
    pub fn take(&self, believed: i64, wall: i64) {
        self.low.set(self.low.get().min(believed).min(wall));
        self.high.set(self.high.get().max(wall));
    }

    /// The call waits until the wall clock says that, and may go on by it although the clock is set back meanwhile.
    pub fn foresee(&self, wall: i64) {
        self.high.set(self.high.get().max(wall));
    }
}

impl Life {
    pub fn family(&self) -> &Family {
        &self.machine.family
    }

    /// What the ID clock is ahead of true time, if IDs were asked for in this life.
    pub fn lead(&self) -> Option<i64> {
        let next = self.state.next();
        (next != 0).then(|| self.machine.time_of(next) - self.family().now.get())
    }

    /// The same, or what it was when a call looked that may have had the lease extended for it.
    pub fn lead_of_lease(&self) -> Option<i64> {
        self.lead().map(|lead| lead.max(self.most_lead.get()))
    }

    /// Sets the wall clock of the machine, and tells the judge what that leaves ahead.
    pub fn set_clock(&self, offset: i64) {
        let family = self.family();
        let from = self.machine.set_clock(offset);
        if !self.machine.is_standby.get() {
            let lead = self.lead().filter(|_| self.state.lease_end() != 0);
            let highest = self.readings.iter().map(|it| it.high.get()).max().unwrap();
            let by_wall = family.ceiling.of_reading(highest) - family.now.get();
            let by_id_clock = self.readings.iter().map(|it| it.lead.get()).max().unwrap();
            let under_way = by_wall.max(by_id_clock);
            family.ceiling.stepped(lead, under_way, offset);
        }
        family.count("steps back", offset < from);
        family.count("steps forward", offset > from);
    }
}
