//! The network between nodes and clients: it delays, and it drops what crosses a cut.
//!
//! As the workbench's (`src/maelstrom/net.clj`): a message is dropped if its link is cut when it would
//! be delivered, clients are never cut off, and their messages are not delayed, as if each client sat
//! beside its node.

use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, Instant},
};

use serde::Serialize;

/// A message under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Who sent it.
    pub src: String,
    /// Whom it is for.
    pub dest: String,
    /// What it says.
    pub body: serde_json::Value,
}

/// Links that are cut, each in one direction: from, to.
pub type Cuts = HashSet<(String, String)>;

/// How many messages there were.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Traffic {
    /// Between a client and a node.
    pub client: u64,
    /// From node to node.
    pub server: u64,
    /// Of the latter, those that a cut swallowed.
    pub dropped: u64,
}

/// Messages under way, and where there is no way.
#[derive(Debug)]
pub struct Network {
    nodes: HashSet<String>,
    latency: Duration,
    /// By time of delivery; the number keeps the order of those sent first.
    under_way: BTreeMap<(Instant, u64), Message>,
    sent: u64,
    cuts: Cuts,
    /// So far.
    pub traffic: Traffic,
}

impl Network {
    /// A network of these nodes, in which a message from node to node takes this long.
    #[must_use]
    pub fn new(nodes: &[String], latency: Duration) -> Self {
        Self {
            nodes: nodes.iter().cloned().collect(),
            latency,
            under_way: BTreeMap::new(),
            sent: 0,
            cuts: Cuts::new(),
            traffic: Traffic::default(),
        }
    }

    /// Cuts these links and mends all others.
    pub fn cut(&mut self, cuts: Cuts) {
        self.cuts = cuts;
    }

    /// Whether there is a node of this name.
    #[must_use]
    pub fn is_node(&self, name: &str) -> bool {
        self.nodes.contains(name)
    }

    /// Takes a message.
    pub fn send(&mut self, message: Message, now: Instant) {
        let between_nodes = self.is_node(&message.src) && self.is_node(&message.dest);
        let latency = if between_nodes {
            self.traffic.server += 1;
            self.latency
        } else {
            self.traffic.client += 1;
            Duration::ZERO
        };
        self.sent += 1;
        self.under_way.insert((now + latency, self.sent), message);
    }

    /// When the next message arrives.
    #[must_use]
    pub fn next_delivery(&self) -> Option<Instant> {
        self.under_way.first_key_value().map(|((at, _), _)| *at)
    }

    /// A message that has arrived by now.
    pub fn deliver(&mut self, now: Instant) -> Option<Message> {
        while self.next_delivery().is_some_and(|at| at <= now) {
            let (_, message) = self.under_way.pop_first()?;
            if !self.cuts.contains(&(message.src.clone(), message.dest.clone())) {
                return Some(message);
            }
            self.traffic.dropped += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(src: &str, dest: &str) -> Message {
        Message { src: src.into(), dest: dest.into(), body: serde_json::Value::Null }
    }

    fn network(latency: u64) -> Network {
        Network::new(&["n0".to_owned(), "n1".to_owned()], Duration::from_millis(latency))
    }

    #[test]
    fn a_cut_swallows_what_arrives_while_it_lasts_in_its_direction_only() {
        let (mut network, now) = (network(10), Instant::now());
        let later = now + Duration::from_millis(10);
        network.cut(Cuts::from([("n0".into(), "n1".into())]));
        network.send(message("n0", "n1"), now);
        network.send(message("n1", "n0"), now);
        assert_eq!(network.deliver(later), Some(message("n1", "n0")));
        network.send(message("n0", "n1"), now);
        network.cut(Cuts::new());
        assert_eq!(network.deliver(later), Some(message("n0", "n1")));
        assert_eq!(network.deliver(later), None);
        assert_eq!((network.traffic.server, network.traffic.dropped), (3, 1));
    }

    #[test]
    fn only_messages_between_nodes_take_time() {
        let (mut network, now) = (network(10), Instant::now());
        network.send(message("n0", "n1"), now);
        network.send(message("c1", "n1"), now);
        network.send(message("n1", "c1"), now);
        assert_eq!(network.deliver(now), Some(message("c1", "n1")));
        assert_eq!(network.deliver(now), Some(message("n1", "c1")));
        assert_eq!(network.deliver(now), None);
        assert_eq!(network.next_delivery(), Some(now + Duration::from_millis(10)));
        assert_eq!((network.traffic.client, network.traffic.server), (2, 1));
    }
}
