//! A network of relays: what a network does to packets, done to the bytes of connections.
//!
//! A relay for each pair of nodes carries, or withholds, what one sends to the other. While a way is
//! silent its bytes wait, and go on after the heal if the connection still lives, as packets do that are
//! lost and sent again. The kernel's own acknowledgements are not lost: who is cut off learns of it from
//! silence, by the timeouts of PostgreSQL.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use snowflake_testkit::interrupt;

use super::Addresses;

/// How soon a relay notices that something has changed.
const TICK: Duration = Duration::from_millis(20);
const BUFFER: usize = 16 * 1024;

/// A network of a number of nodes, numbered from 0. When it is dropped, every connection breaks.
#[derive(Debug)]
pub struct Network {
    nodes: usize,
    addresses: Addresses,
    ways: Arc<Ways>,
}

/// What becomes of what one node sends to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Whole,
    /// Nothing arrives, and neither end is told.
    Silent,
    /// What connections there are break.
    Broken,
}

impl Network {
    /// Nothing listens yet at the servers' addresses.
    pub fn new(nodes: usize) -> Result<Self> {
        let ways = Mutex::new(vec![vec![Way::Whole; nodes]; nodes]);
        let network = Self { nodes, addresses: Addresses::new()?, ways: Arc::new(Ways(ways)) };
        for from in 0..nodes {
            network.others(from).try_for_each(|to| network.carry(from, to))?;
        }
        Ok(network)
    }

    /// How many nodes there are.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// All nodes but this one.
    pub fn others(&self, node: usize) -> impl Iterator<Item = usize> + use<> {
        (0..self.nodes).filter(move |&other| other != node)
    }

    /// Where the nodes' servers are to listen.
    #[must_use]
    pub fn servers(&self) -> Addresses {
        self.addresses
    }

    /// Where node `from` finds the server of node `to`, which is another one.
    #[must_use]
    pub fn address(&self, from: usize, to: usize) -> SocketAddr {
        self.addresses.of(10 * (from + 1) + to)
    }

    /// Nothing that the node sends arrives any more, nor what is sent to it, and neither end is told.
    pub fn cut_off(&self, node: usize) {
        self.set_of(node, Way::Silent);
    }

    /// Nothing that `from` sends reaches `to` any more. What `to` sends still arrives.
    pub fn silence(&self, from: usize, to: usize) {
        self.ways.lock()[from][to] = Way::Silent;
    }

    /// Makes the network whole. Connections that still live go on.
    pub fn heal(&self) {
        self.ways.lock().iter_mut().for_each(|ways| ways.fill(Way::Whole));
    }

    /// Makes the network whole; the connections that the node had break.
    pub fn heal_and_break(&self, node: usize) -> Result<()> {
        self.set_of(node, Way::Broken);
        interrupt::pause(5 * TICK)?;
        self.heal();
        Ok(())
    }

    /// To and from the node.
    fn set_of(&self, node: usize, way: Way) {
        for other in self.others(node) {
            let mut ways = self.ways.lock();
            ways[node][other] = way;
            ways[other][node] = way;
        }
    }

    fn carry(&self, from: usize, to: usize) -> Result<()> {
        let here = self.address(from, to);
        let listener = TcpListener::bind(here).with_context(|| format!("listening on {here}"))?;
        let (server, ways) = (self.addresses.of(to), Arc::clone(&self.ways));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A connection takes packets both ways.
                while [ways.of(from, to), ways.of(to, from)] != [Some(Way::Whole); 2] {
                    if ways.lock().is_empty() {
                        return;
                    }
                    thread::sleep(TICK);
                }
                // An error is the server's not being there, and the client will see that.
                join(&ways, (client, from), (server, to)).ok();
            }
        });
        Ok(())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.ways.lock().clear();
        for from in 0..self.nodes {
            // Wakes the relay, for it to see that.
            self.others(from).for_each(|to| drop(TcpStream::connect(self.address(from, to))));
        }
    }
}

/// From each node to each; empty when the network is gone.
#[derive(Debug)]
struct Ways(Mutex<Vec<Vec<Way>>>);

impl Ways {
    fn lock(&self) -> MutexGuard<'_, Vec<Vec<Way>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, from: usize, to: usize) -> Option<Way> {
        self.lock().get(from).map(|ways| ways[to])
    }
}

/// Connects a client of node `from` with the server of node `to`, each way in a thread.
fn join(
    ways: &Arc<Ways>,
    (client, from): (TcpStream, usize),
    (server, to): (SocketAddr, usize),
) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    let there = (client.try_clone()?, server.try_clone()?);
    for ((source, sink), from, to) in [(there, from, to), ((server, client), to, from)] {
        let ways = Arc::clone(ways);
        thread::spawn(move || {
            // A broken connection is what the other end is told, in any case.
            pump(|| ways.of(from, to).unwrap_or(Way::Broken), &source, &sink).ok();
            source.shutdown(Shutdown::Read).ok();
            sink.shutdown(Shutdown::Write).ok();
        });
    }
    Ok(())
}

fn pump(way: impl Fn() -> Way, mut source: &TcpStream, mut sink: &TcpStream) -> io::Result<()> {
    source.set_read_timeout(Some(TICK))?;
    let mut buffer = [0; BUFFER];
    while way() != Way::Broken {
        let bytes = match source.read(&mut buffer) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                continue;
            }
            bytes => bytes?,
        };
        // Also the news that there is nothing more.
        while way() == Way::Silent {
            thread::sleep(TICK);
        }
        if way() == Way::Broken {
            break;
        }
        sink.write_all(&buffer[..bytes])?;
        if bytes == 0 {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_into_silence_comes_after_the_heal_and_the_other_way_at_once() -> Result<()> {
        let network = Network::new(2)?;
        let server = TcpListener::bind(network.servers().of(1))?;
        let mut here = TcpStream::connect(network.address(0, 1))?;
        let mut there = server.accept()?.0;
        let mut byte = [0];
        network.silence(0, 1);
        here.write_all(b"a")?;
        there.write_all(b"b")?;
        here.read_exact(&mut byte)?;
        assert_eq!(byte, *b"b");
        there.set_read_timeout(Some(5 * TICK))?;
        assert!(there.read(&mut byte).is_err());
        there.set_read_timeout(None)?;
        network.heal();
        there.read_exact(&mut byte)?;
        assert_eq!(byte, *b"a");
        network.heal_and_break(0)?;
        assert_eq!(there.read(&mut byte)?, 0);
        Ok(())
    }
}
