//! IDs from a PostgreSQL server of one's own, which is kept alive.

use std::{
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError},
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use postgres::{Client, Statement, error::DbError};
use snowflake_testkit::{Node, processes_in};

use crate::maelstrom::{
    protocol::{Code, Fault},
    scratch::Scratch,
};

/// The widths that the extension has by default.
const DATACENTERS: usize = 1 << 5;
const MACHINES: usize = 1 << 5;

/// Who a server is among all that issue IDs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// `pg_snowflake.datacenter_id`
    pub datacenter: usize,
    /// `pg_snowflake.machine_id`
    pub machine: usize,
}

impl Identity {
    /// How many there are.
    pub const COUNT: usize = DATACENTERS * MACHINES;

    /// That of the node at this place in the list of all nodes, if there are so many.
    #[must_use]
    pub fn of_place(place: usize) -> Option<Self> {
        let identity = Self { datacenter: place / MACHINES, machine: place % MACHINES };
        (identity.datacenter < DATACENTERS).then_some(identity)
    }
}

type Answer = Result<Vec<i64>, Fault>;
type Order = (usize, Sender<Answer>);

/// A server of one's own, asked for IDs. It is stopped, and its files are removed, when this is
/// dropped or this process ends.
#[derive(Debug)]
pub struct Issuer {
    orders: Option<Sender<Order>>,
    /// An answer that nobody waits for any more.
    overdue: Option<Receiver<Answer>>,
    clerk: Option<JoinHandle<()>>,
    patience: Duration,
}

impl Issuer {
    /// Starts the server, which is to answer within `patience`; returns when it issues.
    pub fn start(name: &str, identity: Identity, patience: Duration) -> Result<Self> {
        let mut server = Server::start(name, identity)?;
        let (orders, inbox) = mpsc::channel::<Order>();
        let clerk = thread::spawn(move || {
            for (count, reply) in inbox {
                // Whoever asked may have given up.
                reply.send(server.issue(count)).ok();
                server.tend();
            }
        });
        Ok(Self { orders: Some(orders), overdue: None, clerk: Some(clerk), patience })
    }

    /// So many new IDs, in ascending order, or in time the reason why not.
    pub fn issue(&mut self, count: usize) -> Answer {
        if let Some(overdue) = self.overdue.take()
            && let Err(TryRecvError::Empty) = overdue.try_recv()
        {
            self.overdue = Some(overdue);
            return Err(unavailable("the server does not answer"));
        }
        let (reply, answer) = mpsc::channel();
        let sent = self.orders.as_ref().map(|orders| orders.send((count, reply)));
        if !matches!(sent, Some(Ok(()))) {
            return Err(Fault::new(Code::Abort, "nobody is there who would ask the server"));
        }
        match answer.recv_timeout(self.patience) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => {
                self.overdue = Some(answer);
                let text = format!("the server has not answered for {:?}", self.patience);
                Err(Fault::new(Code::Timeout, text))
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err(Fault::new(Code::Crash, "the server was asked, and the answer is lost"))
            }
        }
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(clerk) = self.clerk.take() {
            clerk.join().ok();
        }
    }
}

/// The server and the one session that all IDs come through. One is enough: while a query is under
/// way, requests gather, and the next query serves them all.
struct Server {
    session: Option<(Client, Statement)>,
    name: String,
    node: Node,
    /// Last, so that it outlives the server that is in it.
    _scratch: Scratch,
}

impl Server {
    fn start(name: &str, identity: Identity) -> Result<Self> {
        let scratch = Scratch::new()?;
        let node = Node::builder(name)
            .home_in(scratch.path())
            .set("pg_snowflake.datacenter_id", &identity.datacenter.to_string())
            .set("pg_snowflake.machine_id", &identity.machine.to_string())
            // Before it recovers, PostgreSQL fsyncs its thousand files one by one otherwise.
            .set("recovery_init_sync_method", "syncfs")
            .start()?;
        node.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
        let mut server = Self { session: None, name: name.to_owned(), node, _scratch: scratch };
        let first = server.issue(1);
        first.map_err(|fault| anyhow!(fault.text)).context("the first ID of the new server")?;
        Ok(server)
    }

    fn issue(&mut self, count: usize) -> Answer {
        let count = i64::try_from(count)
            .map_err(|_| Fault::new(Code::Abort, "too many IDs are asked for at once"))?;
        let (client, query) = match &mut self.session {
            Some(session) => session,
            none => none.insert(connect(&self.node)?),
        };
        match client.query(query, &[&count]) {
            Ok(rows) => Ok(rows.iter().map(|row| row.get(0)).collect()),
            Err(error) => {
                let fault = match error.as_db_error() {
                    Some(error) => refused(error),
                    // The server may have issued before the connection broke.
                    None => Fault::new(Code::Crash, format!("the connection broke: {error}")),
                };
                if client.is_closed() || error.as_db_error().is_none() {
                    self.session = None;
                }
                Err(fault)
            }
        }
    }

    /// Starts the server again if it is gone.
    fn tend(&mut self) {
        if self.session.is_some() || self.is_alive() {
            return;
        }
        log(&self.name, "the server is gone and is started again");
        match self.restart() {
            Ok(()) => log(&self.name, "the server is back"),
            Err(error) => log(&self.name, &format!("{error:#}")),
        }
    }

    fn is_alive(&self) -> bool {
        let running = processes_in(&self.node.data()).unwrap_or_default();
        self.node.pid().is_some_and(|pid| running.contains(&pid))
    }

    /// On the same data directory, with the lease that it holds: no ID comes twice.
    fn restart(&mut self) -> Result<()> {
        if self.node.pid().is_some() {
            // What is left of it would keep a new one from starting.
            self.node.kill9_all()?;
        }
        self.node.start()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.session = None;
        if let Err(error) = self.node.stop() {
            log(&self.name, &format!("{error:#}"));
        }
    }
}

fn connect(node: &Node) -> Result<(Client, Statement), Fault> {
    let session = node.config("postgres").connect(postgres::NoTls).and_then(|mut client| {
        let query = client.prepare("SELECT snowflake_nextval_batch($1)")?;
        Ok((client, query))
    });
    session.map_err(|error| unavailable(&format!("the server cannot be reached: {error}")))
}

/// An error that the server reported: the query had no result, and time or an operator may help where
/// the class is that of resources, intervention or the system.
fn refused(error: &DbError) -> Fault {
    let state = error.code().code();
    let passing = ["53", "57", "58"].iter().any(|class| state.starts_with(class));
    let code = if passing { Code::TemporarilyUnavailable } else { Code::Abort };
    let parts = [Some(error.message()), error.detail(), error.hint()];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    Fault::new(code, format!("{state}: {}", parts.join("; ")))
}

fn unavailable(text: &str) -> Fault {
    Fault::new(Code::TemporarilyUnavailable, text)
}

/// A line for people. That nobody reads them is no reason to fail.
pub(crate) fn log(name: &str, text: &str) {
    use std::io::Write as _;
    writeln!(std::io::stderr(), "{name}: {text}").ok();
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_place_has_an_identity_of_its_own_up_to_the_last_there_is() {
        let identities = (0..Identity::COUNT).map_while(Identity::of_place);
        let pairs: HashSet<_> = identities.map(|id| (id.datacenter, id.machine)).collect();
        assert_eq!(pairs.len(), 1024);
        assert!(pairs.iter().all(|&(datacenter, machine)| datacenter < 32 && machine < 32));
        assert_eq!(Identity::of_place(1024), None);
    }
}
