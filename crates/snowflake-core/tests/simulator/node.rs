//! A server on its machine through all its lives, and what befalls it.

use super::bound::MAX_SESSIONS;
use super::lease::Keeper;
use super::log::Run;
use super::machine::{MILLI, Machine, SECOND, exponential, log_uniform};
use super::server::Server;
use super::standby::{self, Standby};
use super::world::{Fault, MAX_SKEW, World};
use super::{client, machine::Counts};
use fastrand::Rng;
use snowflake_core::Node as Identity;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Waker};

const HOUR: i64 = 3_600 * SECOND;
const YEAR: i64 = 365 * 24 * HOUR;

struct Task {
    wake: i64,
    future: Pin<Box<dyn Future<Output = ()>>>,
}

/// From a start to a crash or a stop: all that is in memory.
struct Life {
    server: Rc<Server>,
    /// The keeper, then the sessions.
    tasks: Vec<Task>,
}

impl Life {
    fn new(machine: &Rc<Machine>, replayed: Option<i64>) -> Self {
        let server = Rc::new(Server::new(machine.clone(), replayed));
        let task = |future| Task { wake: machine.now.get(), future };
        let keeper = server.clone();
        let mut tasks = vec![task(Box::pin(async move { Keeper::default().run(&keeper).await }))];
        let sessions = machine.dice(|dice| dice.usize(1..MAX_SESSIONS as usize));
        for session in 0..sessions {
            let server = server.clone();
            tasks.push(task(Box::pin(async move { client::run(&server, session).await })));
        }
        Self { server, tasks }
    }

    fn next(&self) -> (i64, usize) {
        let wakes = self.tasks.iter().enumerate().map(|(index, task)| (task.wake, index));
        wakes.min().unwrap()
    }

    fn run(&mut self, index: usize) {
        let machine = &self.server.machine;
        let task = &mut self.tasks[index];
        let done = task.future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(done.is_pending(), "nobody ever stops");
        task.wake = machine.wake_at();
        if self.server.wake_keeper.take() {
            self.tasks[0].wake = machine.now.get();
        }
    }
}

pub struct Node {
    machine: Rc<Machine>,
    life: Option<Life>,
    standby: Option<Standby>,
    fault_at: i64,
    start_at: i64,
    /// When the standby does something, or a new one is made.
    standby_at: i64,
}

impl Node {
    pub fn new(world: &World, identity: Identity, skew: i64, mut dice: Rng) -> Self {
        let start_at = dice.i64(0..SECOND);
        let machine = Rc::new(Machine::new(world, identity, skew, dice));
        let standby_at = if world.regime.has_standby() { 0 } else { i64::MAX };
        let mut node =
            Self { machine, life: None, standby: None, fault_at: 0, start_at, standby_at };
        node.plan_next_fault();
        node
    }

    /// Lets happen what happens before this time, and adds what clients were given.
    pub fn run_until(&mut self, end: i64, runs: &mut Vec<Run>) {
        loop {
            let (turn, task) = self.life.as_ref().map_or((self.start_at, 0), Life::next);
            let now = turn.min(self.fault_at).min(self.standby_at);
            if now >= end {
                break;
            }
            self.machine.now.set(now);
            if now == self.fault_at {
                self.suffer();
                self.plan_next_fault();
            } else if now == self.standby_at {
                match &mut self.standby {
                    Some(standby) => standby.act(&self.machine),
                    None => self.standby = Some(Standby::new(&self.machine)),
                }
                self.standby_at += standby::pause(&self.machine);
            } else if let Some(life) = &mut self.life {
                life.run(task);
            } else {
                self.restart();
            }
        }
        self.machine.log.borrow_mut().take_runs(runs);
    }

    pub fn counts(&self) -> Counts {
        *self.machine.counts.borrow()
    }

    pub fn ids(&self) -> Vec<i64> {
        self.machine.log.borrow_mut().ids()
    }

    pub fn faults(&self) -> Vec<String> {
        self.machine.log.borrow().faults().to_vec()
    }

    fn plan_next_fault(&mut self) {
        let World { fault_every, regime, .. } = self.machine.world;
        let wait = self.machine.dice(|dice| {
            // Where there is a standby, faults like company.
            let soon = regime.has_standby() && dice.u32(0..3) == 0;
            exponential(dice, if soon { fault_every / 50 } else { fault_every })
        });
        self.fault_at = self.machine.now.get() + wait;
    }

    fn suffer(&mut self) {
        let faults = self.machine.world.regime.faults();
        match self.machine.dice(|dice| dice.choice(faults).copied()) {
            None => {}
            Some(Fault::Crash) => self.crash(),
            Some(Fault::Stop) => self.stop(),
            Some(Fault::StepBack) => self.step_back(),
            Some(Fault::StepForward) => self.step_forward(),
            Some(Fault::Correction) => self.set_clock(self.machine.skew),
            Some(Fault::Failover) => self.fail_over(),
            Some(Fault::CrashAndStepBack) => {
                self.crash();
                self.step_back();
            }
        }
    }

    fn start(&mut self, replayed: Option<i64>) {
        self.machine.ceiling.started(self.machine.offset());
        self.life = Some(Life::new(&self.machine, replayed));
    }

    /// With what is replayed from the last checkpoint on.
    fn restart(&mut self) {
        let mut restart = self.machine.restart.get();
        self.machine.checkpoint(&mut restart);
        self.machine.restart.set(restart);
        let replayed = self.machine.wal.borrow().replay(restart.redo);
        self.start(replayed);
    }

    fn start_later(&mut self) {
        let down = self.machine.dice(|dice| {
            let longest = dice.choice([MILLI, 100 * MILLI, 5 * SECOND]).unwrap();
            dice.i64(0..longest)
        });
        self.start_at = self.machine.now.get() + down;
    }

    /// What the ID clock is ahead of true time, if IDs were asked for in this life.
    fn lead(&self) -> Option<i64> {
        self.life.as_ref()?.server.lead()
    }

    /// All that is in memory is gone.
    fn crash(&mut self) {
        let (lead, machine) = (self.lead(), &self.machine);
        if self.life.take().is_none() {
            return;
        }
        machine.ceiling.crashed(machine.now.get(), lead);
        machine.log.borrow_mut().abort();
        machine.dice(|dice| machine.wal.borrow_mut().cut_off(dice));
        let writing = machine.dice(|dice| machine.disk.borrow_mut().cut_off(dice));
        machine.count(|counts| {
            counts.crashes += 1;
            counts.crashes_while_writing += u64::from(writing);
        });
        self.start_later();
    }

    fn stop(&mut self) {
        let (lead, machine) = (self.lead(), &self.machine);
        let Some(life) = self.life.take_if(|life| !life.server.writing.get()) else {
            // Nobody waits for a disk for ever.
            return self.crash();
        };
        // Nothing is known of a lease that is not in force, as after a failed write.
        match life.server.lease.end() {
            0 => machine.ceiling.crashed(machine.now.get(), lead),
            _ => machine.ceiling.stopped(machine.now.get(), lead),
        }
        life.server.write_exact_mark();
        machine.log.borrow_mut().abort();
        machine.shut_down();
        machine.count(|counts| counts.clean_stops += 1);
        self.start_later();
    }

    /// The machine is lost, running or not. Its standby, with another clock, takes its place and its
    /// identity.
    fn fail_over(&mut self) {
        let (lead, machine) = (self.lead(), &self.machine);
        // Until there is a standby again, nobody takes over.
        let Some(standby) = self.standby.take() else { return self.crash() };
        self.life = None;
        machine.ceiling.failed_over(machine.now.get(), lead);
        machine.log.borrow_mut().lose_uncommitted();
        machine.dice(|dice| machine.wal.borrow_mut().cut_off(dice));
        let replayed = standby.promote(machine);
        machine.restart.set(standby.restart);
        *machine.disk.borrow_mut() = standby.disk;
        machine.set_clock(machine.dice(|dice| dice.i64(-MAX_SKEW..=MAX_SKEW)));
        machine.count(|counts| counts.failovers += 1);
        self.standby_at = machine.now.get() + standby::pause(machine);
        self.start(replayed);
    }

    fn step_back(&mut self) {
        let step = self.machine.dice(|dice| log_uniform(dice, MILLI, 3 * YEAR));
        self.set_clock(self.machine.offset() - step);
    }

    fn step_forward(&mut self) {
        let step = self.machine.dice(|dice| log_uniform(dice, MILLI, HOUR));
        self.set_clock(self.machine.offset() + step);
    }

    fn set_clock(&mut self, to: i64) {
        let from = self.machine.offset();
        let under_way = self.machine.latest_under_way().saturating_sub(self.machine.now.get());
        let in_force = |life: &Life| life.server.lease.end() != 0;
        let lead = self.lead().filter(|_| self.life.as_ref().is_some_and(in_force));
        self.machine.ceiling.stepped(lead, under_way, to);
        self.machine.set_clock(to);
        self.machine.count(|counts| {
            counts.steps_back += u64::from(to < from);
            counts.steps_forward += u64::from(to > from);
        });
    }
}
