//! A standby that has every committed row, and follows its primary's clock as the extension's
//! `lease.rs` has it.

use super::disk::Disk;
use super::lease::LENGTH_MILLIS;
use super::machine::{MILLI, Machine, SECOND};
use snowflake_core::{Follower, Record};

pub const LOOK_EVERY: i64 = SECOND;

pub struct Standby {
    pub disk: Disk,
    follower: Option<Follower>,
    /// What was replayed at the last look.
    replayed: Option<i64>,
    /// True time of the last commit that was looked at.
    pub seen: i64,
}

/// The moment that IDs in replayed rows lie below, in milliseconds since 1970.
pub fn replayed_millis(machine: &Machine) -> Option<i64> {
    let drift = i64::from(machine.world.max_drift) + LENGTH_MILLIS;
    machine.committed.get().map(|micros| micros.div_euclid(MILLI) + 1 + drift)
}

impl Standby {
    /// Made from a copy of the primary's files.
    pub fn new(disk: &Disk) -> Self {
        Self { disk: disk.clone(), follower: None, replayed: None, seen: 0 }
    }

    /// What its keeper does once a second.
    pub fn look(&mut self, machine: &Machine) {
        let replayed = replayed_millis(machine);
        if let Some(clock) = replayed.filter(|_| replayed != self.replayed) {
            self.follow(machine, clock);
            self.replayed = replayed;
            self.seen = machine.committed_at.get();
        }
    }

    fn follow(&mut self, machine: &Machine, replayed: i64) {
        let generator = &machine.generator;
        let record = self.disk.read();
        let now = machine.now.get() / MILLI;
        let known = record.map_or(replayed, |record| generator.unix_millis(record.end));
        let follower = self.follower.get_or_insert_with(|| Follower::new(known, now));
        let mark = follower.see(replayed, now);
        let tick_after = |millis: i64| generator.tick_at(mark.saturating_add(millis));
        if record.is_none_or(|record| record.end < tick_after(LENGTH_MILLIS)) {
            let end = tick_after(2 * LENGTH_MILLIS);
            let (space, node) = (generator.space(), generator.node());
            self.disk.write(&Record { space, node, end });
        }
    }
}
