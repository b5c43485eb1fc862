//! The ways in which a network fails.

use std::{
    fmt,
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use anyhow::Result;
use serde::Serialize;

use super::Network;

/// How long a flapping network stays as it is.
const FLAP: Duration = Duration::from_millis(500);

/// A failure of the network between three nodes or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// The cable of node 0 is pulled.
    Off,
    /// Node 1 on one side, all others on the other; packets between them are lost in silence.
    Split,
    /// What node 2 sends is lost; what is sent to it arrives.
    OneWay,
    /// One node after the other is split off, with a whole network in between, twice a second.
    Flapping,
}

impl Cut {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Off, Self::Split, Self::OneWay, Self::Flapping];

    /// Lets the network fail until `meanwhile` has been done, and heals it. `look` sees it before
    /// each heal.
    pub fn during<T>(
        self,
        network: &Network,
        meanwhile: impl FnOnce() -> Result<T>,
        mut look: impl FnMut() -> Result<()> + Send,
    ) -> Result<T> {
        let done = match self {
            Self::Flapping => flap_during(network, meanwhile, look),
            _ => self.make(network).and_then(|()| {
                let done = meanwhile()?;
                look().map(|()| done)
            }),
        };
        network.heal()?;
        done
    }

    fn make(self, network: &Network) -> Result<()> {
        match self {
            Self::Off => network.unplug(0),
            _ => {
                self.silent(network).into_iter().try_for_each(|(from, to)| network.block(from, to))
            }
        }
    }

    /// From which node to which nothing at all arrives while the cut lasts.
    #[must_use]
    pub fn silent(self, network: &Network) -> Vec<(usize, usize)> {
        match self {
            Self::Off => both_ways(network, 0),
            Self::Split => both_ways(network, 1),
            Self::OneWay => network.others(2).map(|other| (2, other)).collect(),
            Self::Flapping => Vec::new(),
        }
    }
}

fn both_ways(network: &Network, node: usize) -> Vec<(usize, usize)> {
    network.others(node).flat_map(|other| [(node, other), (other, node)]).collect()
}

fn flap_during<T>(
    network: &Network,
    meanwhile: impl FnOnce() -> Result<T>,
    look: impl FnMut() -> Result<()> + Send,
) -> Result<T> {
    let (done, over) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let flapping = scope.spawn(|| flap(network, over, look));
        let outcome = meanwhile();
        drop(done);
        flapping.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        outcome
    })
}

/// Until the other end of the channel is gone.
fn flap(network: &Network, over: Receiver<()>, mut look: impl FnMut() -> Result<()>) -> Result<()> {
    for node in (0..network.nodes()).cycle() {
        for (from, to) in both_ways(network, node) {
            network.block(from, to)?;
        }
        let cut = over.recv_timeout(FLAP);
        look()?;
        network.heal()?;
        if [cut, over.recv_timeout(FLAP)].contains(&Err(RecvTimeoutError::Disconnected)) {
            break;
        }
    }
    Ok(())
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
