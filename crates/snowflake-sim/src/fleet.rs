//! A primary with its standbys, each of which replays what the one before it has; and what befalls them as
//! a whole: starts, crashes, stops, failovers.

use crate::clock::{MILLI, NEVER, SECOND, START};
use crate::disk::Cut;
use crate::process::{Process, SESSIONS, SYSTEM};
use crate::scheduler::{Happened, Running, Task};
use crate::server::{Family, Life, Machine};
use crate::session::Statement;
use snowflake_core::{Obstacle, Server, State, create_lease};
use std::cell::Cell;
use std::rc::Rc;

/// A machine, and the server on it while it runs.
pub struct Site {
    pub machine: Rc<Machine>,
    pub running: Option<Running>,
    pub start_at: i64,
}

pub struct Fleet {
    pub family: Rc<Family>,
    /// The primary first.
    pub sites: Vec<Site>,
}

impl Fleet {
    /// What happens next: when, on which site, in which of its processes. A server that is down starts.
    pub fn next(&self) -> (i64, usize, Option<usize>) {
        let next = |(index, site): (usize, &Site)| match &site.running {
            Some(running) => {
                let (time, slot) = running.next();
                (time, index, Some(slot))
            }
            None => (site.start_at, index, None),
        };
        self.sites.iter().enumerate().map(next).min().unwrap_or((NEVER, 0, None))
    }

    /// Lets that happen; a session that begins one makes this statement.
    pub fn step(
        &mut self,
        site: usize,
        slot: Option<usize>,
        statement: impl FnOnce(&Life) -> Statement,
    ) -> Option<Happened> {
        let Some(slot) = slot else {
            self.start(site);
            return None;
        };
        let running = self.sites[site].running.as_mut()?;
        running.step(slot, |life| {
            let statement = statement(life);
            crate::scheduler::start(life, slot, move |server| statement.run(server))
        })
    }

    fn start(&mut self, site: usize) {
        let family = &self.family;
        let Site { machine, running, .. } = &mut self.sites[site];
        let control = machine.control.get();
        if !machine.is_standby.get() {
            machine.received.set(family.wal.borrow().len());
            family.ceiling.started(machine.offset.get());
        }
        // The first reading of a life is believed.
        machine.believed.set(machine.offset.get());
        let mut life = Life {
            machine: machine.clone(),
            generator: machine.generator.get(),
            checkpoint_at_start: control.time,
            state: State::default(),
            is_in_recovery: Cell::new(true),
            is_stopping: Cell::new(false),
            replayed: Cell::new(control.redo),
            is_locked: Cell::new(false),
            was_unlocked: Cell::new(false),
            keeper_is_woken: Cell::new(false),
            sessions_are_woken: Cell::new(false),
            readings: Default::default(),
            most_lead: Cell::new(-NEVER),
        };
        let host = Process::new(&life, SYSTEM, None);
        if machine.disk.borrow().read().is_none() {
            // As CREATE EXTENSION does.
            create_lease(&State::default(), &host, life.generator.space()).unwrap();
        }
        life.state = State::at_start(&host, control.time);
        *running = Some(Running::new(Rc::new(life)));
    }

    /// The primary lets sessions in.
    pub fn open(&mut self, sessions: usize) {
        let now = self.family.now.get();
        let Site { machine, running, .. } = &mut self.sites[0];
        if let Some(running) = running
            && running.tasks.len() == SESSIONS
        {
            let life = &running.life;
            let host = Process::new(life, SYSTEM, None);
            let server = Server { generator: life.generator, state: &life.state, host: &host };
            self.family.ceiling.opened(server.slack());
            // Where nothing else is known, the first ID comes after the last checkpoint.
            let checkpoint = (life.checkpoint_at_start + 1) * SECOND + MILLI - START - now;
            if machine.disk.borrow().durable_end() == 0 && checkpoint > machine.offset.get() {
                self.family.ceiling.carries(checkpoint);
            }
            running.tasks.resize_with(SESSIONS + sessions, || Task::at(now));
        }
    }

    /// A standby receives what the one before it has.
    pub fn receive(&mut self, site: usize) {
        let machine = &self.sites[site].machine;
        let end = match site {
            1 => self.family.wal.borrow().flushed(),
            _ => self.sites[site - 1].machine.received.get(),
        };
        if machine.received.replace(end) < end {
            self.replay(site);
        }
    }

    fn replay(&mut self, site: usize) {
        let now = self.family.now.get();
        if let Some(running) = &mut self.sites[site].running {
            let system = &mut running.tasks[SYSTEM];
            system.wake = system.wake.min(now);
        }
    }

    /// All that is in memory is gone, and what the power cut takes.
    pub fn crash(&mut self, site: usize, cut: Cut, down: i64) {
        let now = self.family.now.get();
        let Site { machine, running, start_at } = &mut self.sites[site];
        let Some(running) = running.take() else { return };
        machine.disk.borrow_mut().crash(cut);
        *start_at = now + down;
        if machine.is_standby.get() {
            self.family.count("standby restarts", true);
            return;
        }
        self.family.ceiling.crashed(now, running.life.lead_of_lease());
        let mut wal = self.family.wal.borrow_mut();
        let end = self.family.fate.of_wal(wal.flushed(), wal.len());
        wal.cut(end);
        self.family.count("crashes", true);
        self.family.count("crashes while writing", running.life.is_locked.get());
    }

    /// A clean stop. A server that replays, or waits for its disk, is not let finish.
    pub fn stop(&mut self, site: usize, down: i64) {
        let Some(running) = &mut self.sites[site].running else { return };
        let life = &running.life;
        let is_replaying = life.is_in_recovery.get() && running.tasks[SYSTEM].wake < NEVER;
        if life.is_locked.get() || life.is_stopping.get() || is_replaying {
            return self.crash(site, Cut::Nothing, down);
        }
        running.begin_to_stop();
    }

    pub fn stopped(&mut self, site: usize, result: Result<(), Obstacle>, down: i64) {
        let now = self.family.now.get();
        let Site { machine, running, start_at } = &mut self.sites[site];
        let Some(running) = running.take() else { return };
        *start_at = now + down;
        if machine.is_standby.get() {
            self.family.count("standby restarts", true);
            return;
        }
        let lead = running.life.lead();
        // Nothing is known of a lease that is not in force, as after a failed write.
        match result {
            Ok(()) if running.life.state.lease_end() != 0 => self.family.ceiling.stopped(now, lead),
            _ => self.family.ceiling.crashed(now, running.life.lead_of_lease()),
        }
        self.family.count("clean stops", true);
    }

    /// The primary's machine is lost, running or not. The first standby, with another clock, takes its place.
    /// Until there is one again, nothing does.
    pub fn fail_over(&mut self, offset: i64, down: i64) {
        if self.sites.len() < 2 {
            return self.crash(0, Cut::Nothing, down);
        }
        let now = self.family.now.get();
        let lost = self.sites.remove(0);
        self.family.ceiling.failed_over(now, lost.running.and_then(|it| it.life.lead_of_lease()));
        let mut wal = self.family.wal.borrow_mut();
        let Site { machine, start_at, .. } = &mut self.sites[0];
        // Replication is synchronous: it may lag, but not behind what the standby has confirmed.
        let received = machine.received.get().max(wal.confirmed());
        wal.cut(received);
        drop(wal);
        machine.received.set(received);
        machine.is_standby.set(false);
        machine.set_clock(offset);
        *start_at = (*start_at).min(now);
        self.family.ceiling.started(offset);
        self.family.count("failovers", true);
        self.replay(0);
    }

    /// Sets the wall clock of the primary's machine.
    pub fn set_clock(&self, offset: i64) {
        let Site { machine, running, .. } = &self.sites[0];
        match running {
            Some(running) => running.life.set_clock(offset),
            None => {
                machine.set_clock(offset);
                self.family.ceiling.stepped(None, -NEVER, offset);
            }
        }
    }
}
