//! Relays on loopback: what a network does to packets, done to the bytes of connections.
//!
//! While a way is blocked its bytes wait, and go on after the heal if the connection still lives: as
//! with packets that are lost and sent again.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result};

use super::loopback::Loopback;

/// How soon a relay notices that something has changed.
const TICK: Duration = Duration::from_millis(20);
const BUFFER: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Relays {
    addresses: Loopback,
    ways: Arc<Ways>,
}

impl Relays {
    pub(super) fn new(nodes: usize) -> Result<Self> {
        let relays = Self { addresses: Loopback::new()?, ways: Arc::new(Ways::new(nodes)) };
        for from in 0..nodes {
            for to in (0..nodes).filter(|&to| to != from) {
                relays.carry(from, to)?;
            }
        }
        Ok(relays)
    }

    pub(super) fn server(&self, node: usize) -> SocketAddr {
        self.addresses.address(node)
    }

    /// Where `from` reaches `to`; itself without a relay.
    pub(super) fn relay(&self, from: usize, to: usize) -> SocketAddr {
        if from == to { self.server(to) } else { self.addresses.address(10 * (from + 1) + to) }
    }

    pub(super) fn block(&self, from: usize, to: usize) {
        self.ways.way(from, to).store(true, Ordering::SeqCst);
    }

    pub(super) fn heal(&self) {
        self.ways.blocked.iter().for_each(|way| way.store(false, Ordering::SeqCst));
    }

    fn carry(&self, from: usize, to: usize) -> Result<()> {
        let here = self.relay(from, to);
        let listener = TcpListener::bind(here).with_context(|| format!("listening on {here}"))?;
        listener.set_nonblocking(true)?;
        let server = self.server(to);
        let ways = Arc::clone(&self.ways);
        thread::spawn(move || {
            while !ways.gone.load(Ordering::SeqCst) {
                match ways.whole(from, to).then(|| listener.accept()) {
                    // An error is the server's not being there, and the client will see that.
                    Some(Ok((client, _))) => drop(join(&ways, (client, from), (server, to))),
                    Some(Err(_)) | None => thread::sleep(TICK),
                }
            }
        });
        Ok(())
    }
}

impl Drop for Relays {
    fn drop(&mut self) {
        self.ways.gone.store(true, Ordering::SeqCst);
    }
}

/// Which ways are blocked.
#[derive(Debug)]
struct Ways {
    nodes: usize,
    blocked: Vec<AtomicBool>,
    gone: AtomicBool,
}

impl Ways {
    fn new(nodes: usize) -> Self {
        let blocked = (0..nodes * nodes).map(|_| AtomicBool::new(false)).collect();
        Self { nodes, blocked, gone: AtomicBool::new(false) }
    }

    fn way(&self, from: usize, to: usize) -> &AtomicBool {
        &self.blocked[from * self.nodes + to]
    }

    fn is_blocked(&self, from: usize, to: usize) -> bool {
        self.way(from, to).load(Ordering::SeqCst)
    }

    /// Whether a connection can come about, which takes packets both ways.
    fn whole(&self, a: usize, b: usize) -> bool {
        !self.is_blocked(a, b) && !self.is_blocked(b, a)
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
            pump(&ways, from, to, &source, &sink).ok();
            source.shutdown(Shutdown::Read).ok();
            sink.shutdown(Shutdown::Write).ok();
        });
    }
    Ok(())
}

fn pump(
    ways: &Ways,
    from: usize,
    to: usize,
    source: &TcpStream,
    sink: &TcpStream,
) -> io::Result<()> {
    source.set_read_timeout(Some(TICK))?;
    let (mut source, mut sink) = (source, sink);
    let mut buffer = [0; BUFFER];
    while !ways.gone.load(Ordering::SeqCst) {
        let bytes = match source.read(&mut buffer) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                continue;
            }
            bytes => bytes?,
        };
        // Also the news that there is nothing more.
        while ways.is_blocked(from, to) && !ways.gone.load(Ordering::SeqCst) {
            thread::sleep(TICK);
        }
        sink.write_all(&buffer[..bytes])?;
        if bytes == 0 {
            break;
        }
    }
    Ok(())
}
