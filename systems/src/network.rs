//! The network between servers, and how it is cut.
//!
//! Clients reach their own server through its socket and never notice. Where it is permitted, every
//! server has a network of its own with one cable to a switch ([`switch`]); elsewhere the servers
//! are on loopback, and a relay for each pair carries, or withholds, what one sends to the other
//! ([`relay`]). Neither leaves anything behind, however this process ends.

pub mod cut;
mod relay;
mod switch;

use std::{fmt, net::IpAddr};

use anyhow::Result;
use snowflake_cluster::Builder;

use relay::Relays;
use switch::Switch;

pub use cut::Cut;

/// A network of so many nodes, numbered from 0.
#[derive(Debug)]
pub struct Network {
    nodes: usize,
    wires: Wires,
    /// Why there are no namespaces, where that was not the caller's wish.
    reason: Option<String>,
}

#[derive(Debug)]
enum Wires {
    Switch(Switch),
    Relays(Relays),
}

impl Network {
    /// On loopback if that is the wish, otherwise the best that works here.
    pub fn of(nodes: usize, loopback: bool) -> Result<Self> {
        if loopback { Self::on_loopback(nodes) } else { Self::new(nodes) }
    }

    /// Of namespaces, or on loopback if that does not work here.
    pub fn new(nodes: usize) -> Result<Self> {
        match Switch::new(nodes) {
            Ok(switch) => Ok(Self { nodes, wires: Wires::Switch(switch), reason: None }),
            Err(error) => {
                Ok(Self { reason: Some(format!("{error:#}")), ..Self::on_loopback(nodes)? })
            }
        }
    }

    /// On loopback, also where more would be possible.
    pub fn on_loopback(nodes: usize) -> Result<Self> {
        Ok(Self { nodes, wires: Wires::Relays(Relays::new(nodes)?), reason: None })
    }

    /// How many nodes there are.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// Has the server that is to be made listen as node `node`.
    #[must_use]
    pub fn connect(&self, node: usize, server: Builder) -> Builder {
        match &self.wires {
            Wires::Switch(switch) => {
                server.within(switch.namespace(node)).listen(switch::address(node), switch::NETWORK)
            }
            Wires::Relays(relays) => server.listen(relays.server(node), relay::NETWORK),
        }
    }

    /// Where node `from` finds node `to`.
    #[must_use]
    pub fn address(&self, from: usize, to: usize) -> IpAddr {
        match &self.wires {
            Wires::Switch(_) => switch::address(to),
            Wires::Relays(relays) => relays.relay(from, to),
        }
    }

    /// Does something where node `node` is, such as opening a connection, which stays there.
    pub fn at<T>(&self, node: usize, action: impl FnOnce() -> T) -> Result<T> {
        match &self.wires {
            Wires::Switch(switch) => Ok(switch.namespace(node).enter(action)?),
            Wires::Relays(_) => Ok(action()),
        }
    }

    /// Nothing that `from` sends reaches `to` any more. What `to` sends still arrives.
    pub fn block(&self, from: usize, to: usize) -> Result<()> {
        match &self.wires {
            Wires::Switch(switch) => switch.block(from, to),
            Wires::Relays(relays) => {
                relays.block(from, to);
                Ok(())
            }
        }
    }

    /// Pulls the node's cable.
    pub fn unplug(&self, node: usize) -> Result<()> {
        match &self.wires {
            Wires::Switch(switch) => switch.unplug(node),
            Wires::Relays(relays) => {
                self.others(node).for_each(|other| {
                    relays.block(node, other);
                    relays.block(other, node);
                });
                Ok(())
            }
        }
    }

    /// Makes the network whole.
    pub fn heal(&self) -> Result<()> {
        match &self.wires {
            Wires::Switch(switch) => switch.heal(),
            Wires::Relays(relays) => {
                relays.heal();
                Ok(())
            }
        }
    }

    /// All nodes but this one.
    pub fn others(&self, node: usize) -> impl Iterator<Item = usize> + use<> {
        (0..self.nodes).filter(move |&other| other != node)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.wires {
            Wires::Switch(_) => "a network namespace and address for each node",
            Wires::Relays(_) => "loopback addresses, with relays between the nodes",
        })?;
        match &self.reason {
            Some(reason) => write!(f, " (no namespaces: {reason})"),
            None => Ok(()),
        }
    }
}
