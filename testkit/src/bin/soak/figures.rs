//! What a soak has done so far.

use std::{
    fmt,
    time::{Duration, Instant},
};

use snowflake_testkit::{Outage, grouped, ledger::Fault};

/// Counts of everything, printed as a table.
#[derive(Debug)]
pub struct Figures {
    pub start: Instant,
    pub ids: u64,
    pub outages: [(Outage, u32); 4],
    pub clock_steps: u32,
    /// The longest time from when the server accepted connections.
    pub slowest_first_id: Duration,
    /// How often the server went down while its disk was slow, and the same time then.
    pub slow_disks: u32,
    pub slowest_first_id_slow: Duration,
    pub fault: Option<Fault>,
}

impl Figures {
    pub fn new() -> Self {
        let outages = Outage::ALL.map(|outage| (outage, 0));
        Self {
            start: Instant::now(),
            ids: 0,
            outages,
            clock_steps: 0,
            slowest_first_id: Duration::ZERO,
            slow_disks: 0,
            slowest_first_id_slow: Duration::ZERO,
            fault: None,
        }
    }

    pub fn count(&mut self, outage: Outage) {
        for (kind, count) in &mut self.outages {
            *count += u32::from(*kind == outage);
        }
    }

    pub fn all_outages(&self) -> u32 {
        self.outages.iter().map(|(_, count)| count).sum()
    }

    pub fn seconds(&self) -> u64 {
        self.start.elapsed().as_secs()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let duplicate = matches!(self.fault, Some(Fault::Duplicate(_)));
        let disorder = self.fault.is_some() && !duplicate;
        writeln!(f, "| soak | |\n| --- | ---: |")?;
        writeln!(f, "| IDs in complete replies | {} |", grouped(self.ids))?;
        for (outage, count) in self.outages {
            writeln!(f, "| {outage} | {count} |")?;
        }
        writeln!(f, "| steps of the clock | {} |", self.clock_steps)?;
        writeln!(
            f,
            "| outages while writing the lease took 0.3 to 3 s longer | {} |",
            self.slow_disks
        )?;
        writeln!(f, "| slowest first ID after a start | {:?} |", self.slowest_first_id)?;
        writeln!(f, "| the same with a slow disk | {:?} |", self.slowest_first_id_slow)?;
        writeln!(f, "| duplicates | {} |", u8::from(duplicate))?;
        writeln!(f, "| violations of order | {} |", u8::from(disorder))?;
        write!(f, "| duration | {} s |", self.seconds())
    }
}
