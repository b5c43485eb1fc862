//! One machine: its clocks, its dice, its disk, and what outlives a server on it.

use super::bound::{Ceiling, MAX_SESSIONS};
use super::disk::Disk;
use super::log::{Call, Log};
use super::wal::{Restart, Wal};
use super::world::World;
use fastrand::Rng;
use serde::Serialize;
use snowflake_core::{Clocks, Epoch, Generator, Node, Record, Space, Tick};
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::ops::AddAssign;
use std::task::Poll;

pub const MILLI: i64 = 1_000;
pub const SECOND: i64 = 1_000 * MILLI;
/// True time 0 in microseconds since 1970: 2027-01-15, well after the default epoch.
pub const START: i64 = 1_800_000_000 * SECOND;

pub struct Machine {
    pub world: World,
    pub generator: Generator,
    /// True time, and the machine's clock that never steps: microseconds.
    pub now: Cell<i64>,
    /// Wall clock minus true time: changes by steps only.
    offset: Cell<i64>,
    /// Where it should be.
    pub skew: i64,
    wake: Cell<i64>,
    dice: RefCell<Rng>,
    pub disk: RefCell<Disk>,
    pub ceiling: Ceiling,
    /// By session: the latest time that its call may take without another look at the clock.
    under_way: [Cell<i64>; MAX_SESSIONS as usize],
    pub log: RefCell<Log>,
    pub counts: RefCell<Counts>,
    /// The WAL of the server and those it was a standby of.
    pub wal: RefCell<Wal>,
    pub restart: Cell<Restart>,
}

impl Machine {
    pub fn new(world: &World, identity: Node, skew: i64, dice: Rng) -> Self {
        let space = Space { layout: world.layout, epoch: Epoch::default() };
        Self {
            world: world.clone(),
            generator: Generator::new(space, identity).unwrap(),
            now: Cell::new(0),
            offset: Cell::new(skew),
            skew,
            wake: Cell::new(0),
            dice: RefCell::new(dice),
            disk: RefCell::new(Disk::new(world.lease_is_kept)),
            ceiling: Ceiling::new(world.believed_drift.unwrap_or(world.max_drift), skew),
            under_way: std::array::from_fn(|_| Cell::new(i64::MIN)),
            log: RefCell::new(Log::new(world, identity)),
            counts: RefCell::default(),
            wal: RefCell::new(Wal::new(world.lease_is_in_wal)),
            restart: Cell::default(),
        }
    }

    /// Wall clock since 1970, in milliseconds.
    pub fn wall_millis(&self) -> i64 {
        (START + self.now.get() + self.offset.get()).div_euclid(MILLI)
    }

    pub fn clocks(&self) -> Clocks {
        let epoch = self.generator.space().epoch.unix_millis() * MILLI;
        let wall = START + self.now.get() + self.offset.get() - epoch;
        Clocks { wall, monotonic: self.now.get() }
    }

    pub fn offset(&self) -> i64 {
        self.offset.get()
    }

    pub fn set_clock(&self, offset: i64) {
        self.offset.set(offset);
    }

    /// The start of a tick's millisecond, in true time.
    pub fn time_of(&self, tick: Tick) -> i64 {
        self.generator.unix_millis(tick) * MILLI - START
    }

    /// Returns when this time is over; then it is this session's turn to run.
    pub fn sleep(&self, micros: i64) -> impl Future<Output = ()> + '_ {
        let until = self.now.get() + micros;
        poll_fn(move |_| {
            if self.now.get() >= until {
                return Poll::Ready(());
            }
            self.wake.set(until);
            Poll::Pending
        })
    }

    /// The same, or whenever it is woken.
    pub fn sleep_or_wake(&self, micros: i64) -> impl Future<Output = ()> + '_ {
        let mut asleep = false;
        poll_fn(move |_| {
            if asleep {
                return Poll::Ready(());
            }
            asleep = true;
            self.wake.set(self.now.get() + micros);
            Poll::Pending
        })
    }

    /// When whoever went to sleep last is to be woken.
    pub fn wake_at(&self) -> i64 {
        self.wake.get()
    }

    pub fn dice<T>(&self, throw: impl FnOnce(&mut Rng) -> T) -> T {
        throw(&mut self.dice.borrow_mut())
    }

    pub fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.borrow_mut());
    }

    #[inline]
    pub fn set_under_way(&self, session: usize, latest: i64) {
        self.under_way[session].set(latest);
    }

    pub fn latest_under_way(&self) -> i64 {
        self.under_way.iter().map(Cell::get).max().unwrap()
    }

    pub fn ask(&self, session: usize) -> Call {
        Call::new(session, self.now.get(), self.log.borrow().newest())
    }

    /// A client has been given this ID.
    #[inline]
    pub fn returned(&self, id: i64, call: &Call) {
        let (now, offset) = (self.now.get(), self.offset.get());
        let latest = || self.ceiling.at(now, offset).max(self.ceiling.of_reading(call.high));
        self.log.borrow_mut().add(id, call, now, now + offset, latest);
    }

    /// The rows of this session's IDs are committed: a standby replays them before its promotion, and
    /// everything that precedes them in WAL.
    pub fn commit(&self, session: usize) {
        if self.log.borrow_mut().commit(session, self.now.get()) {
            self.wal.borrow_mut().commit();
        }
    }

    pub fn record(&self, end: Tick) -> Record {
        Record { space: self.generator.space(), node: self.generator.node(), end }
    }

    /// Writes that IDs up to this tick may be issued; the lease file says so already.
    pub fn write_to_wal(&self, end: Tick) {
        let generator = &self.generator;
        let mut wal = self.wal.borrow_mut();
        wal.write(generator.unix_millis(generator.whole_millis(end)));
        self.restart.set(Restart { kept: wal.len(), ..self.restart.get() });
    }

    /// A clean stop waits until the standby has everything.
    pub fn shut_down(&self) {
        let (mut wal, mut restart) = (self.wal.borrow_mut(), self.restart.get());
        wal.commit();
        restart.shut_down(&wal, self.world.checkpoints_wait);
        self.restart.set(restart);
    }

    /// A server with these files has a checkpoint.
    pub fn checkpoint(&self, restart: &mut Restart) {
        let (wal, waits) = (self.wal.borrow(), self.world.checkpoints_wait);
        self.dice(|dice| restart.checkpoint(&wal, waits, dice));
    }
}

/// A time of which `mean` is the mean, and most of which are shorter.
pub fn exponential(dice: &mut Rng, mean: i64) -> i64 {
    (-(1.0 - dice.f64()).ln() * mean as f64) as i64 + 1
}

/// As likely to be of one order of magnitude as of another.
pub fn log_uniform(dice: &mut Rng, least: i64, most: i64) -> i64 {
    let (least, most) = ((least as f64).ln(), (most as f64).ln());
    (least + (most - least) * dice.f64()).exp() as i64
}

/// What happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub crashes: u64,
    pub crashes_while_writing: u64,
    pub clean_stops: u64,
    pub failovers: u64,
    pub steps_back: u64,
    pub steps_forward: u64,
    pub paced_waits: u64,
    pub paced_micros: u64,
    pub cancelled: u64,
    pub interrupted: u64,
    pub lease_extensions: u64,
    pub by_callers: u64,
    pub failed_writes: u64,
    pub refusals: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.crashes += other.crashes;
        self.crashes_while_writing += other.crashes_while_writing;
        self.clean_stops += other.clean_stops;
        self.failovers += other.failovers;
        self.steps_back += other.steps_back;
        self.steps_forward += other.steps_forward;
        self.paced_waits += other.paced_waits;
        self.paced_micros += other.paced_micros;
        self.cancelled += other.cancelled;
        self.interrupted += other.interrupted;
        self.lease_extensions += other.lease_extensions;
        self.by_callers += other.by_callers;
        self.failed_writes += other.failed_writes;
        self.refusals += other.refusals;
    }
}
