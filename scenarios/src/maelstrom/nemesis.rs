//! When the network falls apart, and when it is whole again.

use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::maelstrom::{network::Cuts, partition::Partition, report::Tally};

/// Who cuts links.
pub(super) struct Nemesis {
    every: Duration,
    /// When it acts again, if ever.
    pub(super) next: Option<Instant>,
    apart: bool,
    kinds: Vec<Partition>,
}

impl Nemesis {
    pub(super) fn new(every: Option<Duration>, rng: &mut Rng, now: Instant) -> Self {
        let next = every.map(|every| now + around(every.as_secs_f64(), 0.5, rng));
        Self { every: every.unwrap_or_default(), next, apart: false, kinds: Vec::new() }
    }

    /// The cuts from now on, when it is time to change them: every kind once before any comes again.
    pub(super) fn act(
        &mut self,
        now: Instant,
        nodes: &[String],
        rng: &mut Rng,
        tally: &mut Tally,
    ) -> Option<Cuts> {
        let next = self.next.as_mut().filter(|next| **next <= now)?;
        *next += around(self.every.as_secs_f64(), 0.5, rng);
        self.apart = !self.apart;
        if !self.apart {
            return Some(Cuts::new());
        }
        if self.kinds.is_empty() {
            self.kinds.extend(Partition::ALL);
            rng.shuffle(&mut self.kinds);
        }
        let kind = self.kinds.pop()?;
        let cuts = kind.cuts(nodes, rng);
        // Some kinds are none where nodes are few.
        if !cuts.is_empty() {
            *tally.partitions.entry(kind.to_string()).or_default() += 1;
        }
        Some(cuts)
    }
}

/// A time whose mean is `seconds`, at least the share `least` of it.
pub(super) fn around(seconds: f64, least: f64, rng: &mut Rng) -> Duration {
    Duration::from_secs_f64(seconds * (least + (2.0 - 2.0 * least) * rng.f64()))
}
