//! The network between servers, and how it is cut.
//!
//! Clients reach their own server through its socket and never notice. Where it is permitted, every
//! server has a network of its own with one cable to a switch ([`switch`]); elsewhere the servers
//! are on loopback ([`loopback`]), and a relay for each pair carries, or withholds, what one sends to
//! the other ([`relay`]). None of it leaves anything behind, however this process ends.

pub mod cut;
mod loopback;
mod relay;
mod switch;

use std::{fmt, net::SocketAddr, ops::Range};

use anyhow::{Result, bail};
use snowflake_testkit::{Builder, Namespace};

use loopback::Loopback;
use relay::Relays;
use switch::Switch;

pub use cut::Cut;

/// Ports below those that the kernel gives to outgoing connections: one of these could have the port
/// of a server that is down for a moment.
pub const CANDIDATES: Range<u16> = 20_000..30_000;

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
    /// On loopback without relays, and so never cut.
    Loopback(Loopback),
}

impl Network {
    /// On loopback if that is the wish, otherwise the best that works here.
    pub fn of(nodes: usize, loopback: bool) -> Result<Self> {
        if loopback { Self::on_loopback(nodes) } else { Self::new(nodes) }
    }

    /// Of namespaces, or on loopback if that does not work here.
    pub fn new(nodes: usize) -> Result<Self> {
        Self::of_namespaces(nodes, Self::on_loopback)
    }

    /// On loopback, also where more would be possible.
    pub fn on_loopback(nodes: usize) -> Result<Self> {
        Ok(Self { nodes, wires: Wires::Relays(Relays::new(nodes)?), reason: None })
    }

    /// One that nobody will cut, which on loopback takes no relays: a node's own address is the one
    /// that all others use.
    pub fn whole(nodes: usize, loopback: bool) -> Result<Self> {
        let on_loopback = |nodes| {
            let wires = Wires::Loopback(Loopback::new()?);
            Ok(Self { nodes, wires, reason: None })
        };
        if loopback { on_loopback(nodes) } else { Self::of_namespaces(nodes, on_loopback) }
    }

    fn of_namespaces(nodes: usize, or_else: impl FnOnce(usize) -> Result<Self>) -> Result<Self> {
        match Switch::new(nodes) {
            Ok(switch) => Ok(Self { nodes, wires: Wires::Switch(switch), reason: None }),
            Err(error) => Ok(Self { reason: Some(format!("{error:#}")), ..or_else(nodes)? }),
        }
    }

    /// How many nodes there are.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// Has the server that is to be made listen as node `node`.
    #[must_use]
    pub fn connect(&self, node: usize, server: Builder) -> Builder {
        let server = server.listen(self.address(node, node), self.range());
        match self.namespace(node) {
            Some(namespace) => server.within(namespace),
            None => server,
        }
    }

    /// Where node `from` finds the server of node `to`.
    #[must_use]
    pub fn address(&self, from: usize, to: usize) -> SocketAddr {
        match &self.wires {
            Wires::Switch(_) => switch::address(to),
            Wires::Relays(relays) => relays.relay(from, to),
            Wires::Loopback(loopback) => loopback.address(to),
        }
    }

    /// What all addresses are in, such as `10.0.0.0/24`.
    #[must_use]
    pub fn range(&self) -> &'static str {
        match &self.wires {
            Wires::Switch(_) => switch::NETWORK,
            Wires::Relays(_) | Wires::Loopback(_) => loopback::NETWORK,
        }
    }

    /// Where the programs of node `node` are to run, if not beside everything else.
    #[must_use]
    pub fn namespace(&self, node: usize) -> Option<&Namespace> {
        match &self.wires {
            Wires::Switch(switch) => Some(switch.namespace(node)),
            Wires::Relays(_) | Wires::Loopback(_) => None,
        }
    }

    /// Does something where node `node` is. The connections that it opens, the threads and the
    /// programs that it starts stay there.
    pub fn at<T>(&self, node: usize, action: impl FnOnce() -> T) -> Result<T> {
        match self.namespace(node) {
            Some(namespace) => Ok(namespace.enter(action)?),
            None => Ok(action()),
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
            Wires::Loopback(_) => no_relays(),
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
            Wires::Loopback(_) => no_relays(),
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
            Wires::Loopback(_) => Ok(()),
        }
    }

    /// All nodes but this one.
    pub fn others(&self, node: usize) -> impl Iterator<Item = usize> + use<> {
        (0..self.nodes).filter(move |&other| other != node)
    }
}

fn no_relays() -> Result<()> {
    bail!("a network on loopback without relays cannot be cut")
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.wires {
            Wires::Switch(_) => "a network namespace and address for each node",
            Wires::Relays(_) => "loopback addresses, with relays between the nodes",
            Wires::Loopback(_) => "a loopback address for each node",
        })?;
        match &self.reason {
            Some(reason) => write!(f, " (no namespaces: {reason})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use postgres::{Config, NoTls};
    use snowflake_testkit::Node;

    use super::*;

    #[test]
    fn a_server_on_loopback_is_reached_while_somebody_has_5432_everywhere() -> Result<()> {
        // An error is that somebody else has it, which is as good.
        let _everywhere = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 5432));
        let network = Network::on_loopback(2)?;
        let server = Node::builder("server").unset("shared_preload_libraries");
        let server = network.connect(0, server).start()?;
        let mut reached = vec![server.connect("postgres")?];
        for from in [0, 1] {
            let address = network.address(from, 0);
            let mut config = Config::new();
            config.host(&address.ip().to_string()).port(address.port());
            reached.push(config.user("postgres").dbname("postgres").connect(NoTls)?);
        }
        reached.iter_mut().try_for_each(|client| client.batch_execute("SELECT"))?;
        Ok(())
    }

    #[test]
    fn a_node_on_loopback_without_relays_has_one_address_and_cannot_be_cut_off() -> Result<()> {
        let network = Network::whole(3, true)?;
        assert_eq!(network.address(0, 2), network.address(2, 2));
        assert_ne!(network.address(0, 1), network.address(0, 2));
        assert!(network.block(0, 1).is_err() && network.unplug(0).is_err());
        Ok(())
    }
}
