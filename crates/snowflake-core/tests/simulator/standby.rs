//! A standby that has every committed row, and with it the lease that covers the row, as the
//! extension's `keeper.rs` and `lease.rs` have it.

use super::disk::Disk;
use super::machine::{Machine, exponential};
use super::wal::Restart;

/// Between two things that it does, on average. The keeper is far faster.
const EVERY: i64 = 300_000;

pub struct Standby {
    pub disk: Disk,
    pub restart: Restart,
    /// Where replay began in this life; none while it is down.
    began: Option<usize>,
}

/// How long nothing is heard of it.
pub fn pause(machine: &Machine) -> i64 {
    machine.dice(|dice| exponential(dice, EVERY))
}

impl Standby {
    /// Made from a copy of the primary's files, which were copied after the checkpoint that it
    /// replays from.
    pub fn new(machine: &Machine) -> Self {
        let mut restart = machine.restart.get();
        machine.checkpoint(&mut restart);
        // What the primary has not flushed, a crash replaces by something else.
        restart.kept = restart.kept.min(machine.wal.borrow().committed());
        Self { disk: machine.disk.borrow().copy(), restart, began: Some(restart.redo) }
    }

    /// It goes down, comes back, has a checkpoint, or its keeper gets to write.
    pub fn act(&mut self, machine: &Machine) {
        match (self.began, machine.dice(|dice| dice.u32(0..10))) {
            (None, 0..3) => self.began = Some(self.restart.redo),
            (None, _) => {}
            (Some(_), 0) => self.began = None,
            (Some(_), 1..4) => machine.checkpoint(&mut self.restart),
            (Some(began), _) => self.keep(machine, began),
        }
    }

    fn keep(&mut self, machine: &Machine, began: usize) {
        let wal = machine.wal.borrow();
        if let Some(end) = wal.replay(began).map(|millis| machine.generator.tick_at(millis))
            && self.disk.read().is_none_or(|record| record.end < end)
        {
            self.disk.write(&machine.record(end));
        }
        self.restart.kept = wal.committed();
    }

    /// The last lease that it has replayed when it has replayed everything: milliseconds since 1970.
    pub fn promote(&self, machine: &Machine) -> Option<i64> {
        machine.wal.borrow().replay(self.began.unwrap_or(self.restart.redo))
    }
}
