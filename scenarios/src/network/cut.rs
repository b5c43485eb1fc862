//! The ways in which a network fails.

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde::Serialize;
use snowflake_testkit::interrupt;

use super::Network;

/// How long a flapping network stays as it is.
const FLAP: Duration = Duration::from_millis(500);

/// A failure of the network between three nodes or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// Node 0 is cut off, and none of its connections outlives that.
    Off,
    /// Node 1 on one side, all others on the other; connections that still live then go on.
    Split,
    /// What node 2 sends is lost; what is sent to it arrives.
    OneWay,
    /// One node after the other is split off, with a whole network in between, twice a second.
    Flapping,
}

impl Cut {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Off, Self::Split, Self::OneWay, Self::Flapping];

    /// Lets the network fail for this time, and heals it. `look` sees it before each heal.
    pub fn during(
        self,
        network: &Network,
        time: Duration,
        mut look: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        let end = Instant::now() + time;
        if self != Self::Flapping {
            self.silent(network).into_iter().for_each(|(from, to)| network.silence(from, to));
            interrupt::pause(time)?;
            look()?;
            if self == Self::Off {
                return network.heal_and_break(0);
            }
            network.heal();
            return Ok(());
        }
        for node in (0..network.nodes()).cycle().take_while(|_| Instant::now() < end) {
            network.cut_off(node);
            interrupt::pause(FLAP)?;
            look()?;
            network.heal();
            interrupt::pause(FLAP)?;
        }
        Ok(())
    }

    /// From which node to which nothing at all arrives while it lasts.
    #[must_use]
    pub fn silent(self, network: &Network) -> Vec<(usize, usize)> {
        let to_and_from = |node| network.others(node).flat_map(move |it| [(node, it), (it, node)]);
        match self {
            Self::Off => to_and_from(0).collect(),
            Self::Split => to_and_from(1).collect(),
            Self::OneWay => network.others(2).map(|other| (2, other)).collect(),
            Self::Flapping => Vec::new(),
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "one node off",
            Self::Split => "split 1/2",
            Self::OneWay => "one-way",
            Self::Flapping => "flapping",
        })
    }
}
