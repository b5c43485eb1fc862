//! One identity in a world: its primary with its standbys, through all its lives, and what befalls it by luck.

use super::world::{Fault, MAX_SKEW, World};
use crate::check::bound::Ceiling;
use crate::check::log::{Log, Run};
use crate::clock::{HOUR, MILLI, NEVER, SECOND, START, exponential, log_uniform};
use crate::disk::{Cut, Disk};
use crate::faults::{Fate, Luck};
use crate::fleet::{Fleet, Site};
use crate::process;
use crate::scheduler::Happened;
use crate::server::{Counts, Family, Machine};
use crate::session::Statement;
use crate::wal::{Control, Wal};
use fastrand::Rng;
use snowflake_core::{Epoch, Generator, Node as Identity, Space};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

const YEAR: i64 = 365 * 24 * HOUR;
/// Between two times that a standby hears of its primary, on average.
const STANDBY_EVERY: i64 = 300_000;
/// Fewer than the host says.
const SESSIONS: usize = 7;

pub struct Node {
    world: World,
    fleet: Fleet,
    /// With each identity that it may have.
    generators: [Generator; 2],
    /// Where its wall clock should be.
    skew: i64,
    fault_at: i64,
    /// When standbys hear of the primary, or a new one is made.
    standby_at: i64,
    /// IDs that other servers have sent, with the time at which they are here.
    inbox: BTreeSet<(i64, i64)>,
}

impl Node {
    pub fn new(world: &World, identities: [Identity; 2], skew: i64, mut dice: Rng) -> Self {
        let space = Space { layout: world.layout, epoch: Epoch::default() };
        let generators = identities.map(|it| Generator::new(space, it).unwrap());
        let start_at = dice.i64(0..SECOND);
        // The clock may have been set back since its files were made.
        let was_set = world.regime.sets_clocks() && dice.u32(0..4) == 0;
        let age = if was_set { -5 * SECOND } else { HOUR };
        let time = (START + skew - age).div_euclid(SECOND);
        let believed_drift = world.believed_drift.unwrap_or(world.max_drift);
        let family = Rc::new(Family {
            now: Cell::new(0),
            quiet: Cell::new(100),
            others_can_run: Cell::new(false),
            has_standby: Cell::new(false),
            has_keeper: dice.u32(0..4) > 0,
            fate: Fate::Luck(Luck::new(dice, world.regime.disk_fails())),
            wal: RefCell::new(Wal::default()),
            log: RefCell::new(Log::new(world.layout, world.collect_ids)),
            ceiling: Ceiling::new(believed_drift, skew),
            counts: RefCell::default(),
            omits: world.omits,
        });
        let machine = Rc::new(Machine {
            family: family.clone(),
            generator: Cell::new(generators[0]),
            max_drift: world.max_drift,
            offset: Cell::new(skew),
            believed: Cell::new(skew),
            disk: RefCell::new(Disk::default()),
            control: Cell::new(Control { redo: 0, time }),
            is_standby: Cell::new(false),
            received: Cell::new(0),
        });
        let sites = vec![Site { machine, running: None, start_at }];
        let standby_at = if world.regime.standbys() > 0 { 0 } else { NEVER };
        let fleet = Fleet { family, sites };
        let world = world.clone();
        let inbox = BTreeSet::new();
        let mut node = Self { world, fleet, generators, skew, fault_at: 0, standby_at, inbox };
        node.plan_next_fault();
        node
    }

    /// Lets happen what happens before this time, and adds what clients were given.
    pub fn run_until(&mut self, end: i64, runs: &mut Vec<Run>) {
        loop {
            let (time, site, slot) = self.fleet.next();
            let now = time.min(self.fault_at).min(self.standby_at);
            if now >= end {
                break;
            }
            self.family().now.set(now);
            if now == self.fault_at {
                self.suffer();
                self.plan_next_fault();
            } else if now == self.standby_at {
                self.care_for_standbys();
                self.standby_at += self.dice(|dice| exponential(dice, STANDBY_EVERY));
            } else {
                self.step(site, slot);
            }
        }
        self.family().log.borrow_mut().take_runs(runs);
    }

    /// An ID of another server will be here then.
    pub fn send(&mut self, id: i64, arrives: i64) {
        self.inbox.insert((arrives, id));
    }

    pub fn counts(&self) -> Counts {
        self.family().counts.borrow().clone()
    }

    pub fn ids(&self) -> Vec<i64> {
        self.family().log.borrow_mut().ids()
    }

    pub fn causal_pairs(&self) -> u64 {
        self.family().log.borrow().causal_pairs()
    }

    pub fn below_shown(&self) -> Vec<(i64, i64)> {
        self.family().log.borrow().below_shown().to_vec()
    }

    pub fn faults(&self) -> Vec<String> {
        self.family().log.borrow().faults().to_vec()
    }

    fn family(&self) -> &Family {
        &self.fleet.family
    }

    fn dice<T>(&self, throw: impl FnOnce(&mut Rng) -> T) -> T {
        self.family().fate.dice(throw)
    }

    fn step(&mut self, site: usize, slot: Option<usize>) {
        let Self { world, inbox, fleet, .. } = self;
        let happened = fleet.step(site, slot, |life| {
            let family = life.family();
            let message = inbox.first().filter(|(arrives, _)| *arrives <= family.now.get());
            if message.is_none() {
                return family.fate.dice(|dice| Statement::draw(world, dice));
            }
            let (_, id) = inbox.pop_first().unwrap();
            let is_ahead =
                id > life.generator.id(life.generator.tick_at(life.machine.wall() / MILLI));
            let asks = family.fate.dice(Rng::bool);
            family.count(if asks { "replies" } else { "witnessed" }, true);
            family.count("shown ahead of the clock", is_ahead);
            if asks { Statement::Reply(id) } else { Statement::Witness(id) }
        });
        match happened {
            Some(Happened::Replayed) if site == 0 => {
                let sessions = self.dice(|dice| dice.usize(1..=SESSIONS));
                self.fleet.open(sessions);
                for slot in process::SESSIONS..process::SESSIONS + sessions {
                    self.pause(slot);
                }
            }
            Some(Happened::Stopped(result)) => {
                let down = self.down();
                self.fleet.stopped(site, result, down);
                self.change_node(site);
            }
            Some(Happened::Answered(slot, answer)) => {
                self.family().count("refusals", matches!(answer, Some(Err(_))));
                self.pause(slot);
            }
            Some(Happened::Replayed | Happened::Fault(_)) | None => {}
        }
    }

    /// A session has nothing to do for a while.
    fn pause(&mut self, slot: usize) {
        let idle = self.dice(|dice| Statement::pause(&self.world, dice));
        let wake = self.family().now.get() + idle;
        if let Some(running) = &mut self.fleet.sites[0].running {
            running.tasks[slot].wake = wake;
        }
    }

    fn plan_next_fault(&mut self) {
        let World { fault_every, regime, .. } = self.world;
        let wait = self.dice(|dice| {
            // Where there is a standby, faults like company.
            let soon = regime.standbys() > 0 && dice.u32(0..3) == 0;
            exponential(dice, if soon { fault_every / 50 } else { fault_every })
        });
        self.fault_at = self.family().now.get() + wait;
    }

    fn suffer(&mut self) {
        let faults = self.world.regime.faults();
        let standby = self.fleet.sites.len() - 1;
        let down = self.down();
        match self.dice(|dice| dice.choice(faults).copied()) {
            None => {}
            Some(Fault::Crash) => self.crash(0, down),
            Some(Fault::Stop) => self.fleet.stop(0, down),
            Some(Fault::StepBack) => self.step_back(),
            Some(Fault::StepForward) => self.step_forward(),
            Some(Fault::Correction) => self.fleet.set_clock(self.skew),
            Some(Fault::Failover) => {
                let offset = self.dice(|dice| dice.i64(-MAX_SKEW..=MAX_SKEW));
                self.fleet.fail_over(offset, down);
            }
            Some(Fault::CrashAndStepBack) => {
                self.crash(0, down);
                self.step_back();
            }
            Some(Fault::StandbyCrash) if standby > 0 => self.crash(standby, down),
            Some(Fault::StandbyStop) if standby > 0 => self.fleet.stop(standby, down),
            Some(Fault::StandbyCrash | Fault::StandbyStop) => {}
        }
    }

    fn down(&self) -> i64 {
        self.dice(|dice| {
            let longest = dice.choice([MILLI, 100 * MILLI, 5 * SECOND]).unwrap();
            dice.i64(0..longest)
        })
    }

    fn crash(&mut self, site: usize, down: i64) {
        let cut = self.dice(|dice| dice.choice([Cut::Nothing, Cut::Lost, Cut::Torn]).unwrap());
        self.fleet.crash(site, cut, down);
        self.change_node(site);
    }

    /// Now and then the administrator gives a server that is down another machine id.
    fn change_node(&mut self, site: usize) {
        let Site { machine, running, .. } = &self.fleet.sites[site];
        if running.is_none() && self.dice(|dice| dice.u32(0..4)) == 0 {
            machine.generator.set(self.dice(|dice| dice.choice(self.generators).unwrap()));
        }
    }

    /// Makes one where there are too few, from a copy of the last server's files; else they hear of the
    /// primary.
    fn care_for_standbys(&mut self) {
        let sites = self.fleet.sites.len();
        if sites <= self.world.regime.standbys() {
            let offset = self.dice(|dice| dice.i64(-MAX_SKEW..=MAX_SKEW));
            let generator = self.dice(|dice| dice.choice(self.generators).unwrap());
            // The settings of a standby are its own.
            let drift = self.dice(|dice| dice.u32(0..=self.world.max_drift));
            let now = self.family().now.get();
            let machine = &self.fleet.sites[sites - 1].machine;
            let machine = Rc::new(machine.backup(generator, drift, offset));
            self.fleet.sites.push(Site { machine, running: None, start_at: now });
        }
        for site in 1..self.fleet.sites.len() {
            if self.dice(|dice| dice.bool()) {
                self.fleet.receive(site);
            }
        }
    }

    fn step_back(&mut self) {
        let step = self.dice(|dice| log_uniform(dice, MILLI, 3 * YEAR));
        self.fleet.set_clock(self.fleet.sites[0].machine.offset.get() - step);
    }

    fn step_forward(&mut self) {
        let step = self.dice(|dice| log_uniform(dice, MILLI, HOUR));
        self.fleet.set_clock(self.fleet.sites[0].machine.offset.get() + step);
    }
}
