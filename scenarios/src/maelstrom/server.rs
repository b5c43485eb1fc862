//! A node's PostgreSQL server, which is kept alive.

use std::collections::VecDeque;

use anyhow::{Context, Result};
use postgres::{Client, Error, NoTls, types::Type};
use snowflake_testkit::{Installation, Node, Warden, processes_in};

use crate::maelstrom::protocol::{Code, Fault};

/// The widths that the extension has by default.
const DATACENTERS: usize = 1 << 5;
const MACHINES: usize = 1 << 5;

/// How many servers can issue IDs that are not each other's.
pub const MOST: usize = DATACENTERS * MACHINES;

/// A private server and the session that all IDs come through.
pub struct Server {
    session: Option<Client>,
    /// IDs that were asked for and have not been given away yet.
    stock: VecDeque<i64>,
    node: Node,
    /// Last, so that it outlives the server in its directory, also when this process is killed, which
    /// is how the workbench ends its nodes.
    _warden: Warden,
}

impl Server {
    /// Starts the server of the node at this place in the list of all nodes; returns when it issues.
    pub fn start(name: &str, place: usize) -> Result<Self> {
        let warden = Warden::engage(&Installation::find()?)?;
        let (datacenter, machine) = identity(place);
        let node = Node::builder(name)
            .home_in(warden.home())
            .set("pg_snowflake.datacenter_id", &datacenter.to_string())
            .set("pg_snowflake.machine_id", &machine.to_string())
            // Before it recovers, PostgreSQL fsyncs its thousand files one by one otherwise.
            .set("recovery_init_sync_method", "syncfs")
            .start()?;
        let mut session = node.connect("postgres")?;
        session.batch_execute("CREATE EXTENSION pg_snowflake")?;
        next_ids(&mut session, 1).context("the first ID of the new server")?;
        Ok(Self { session: Some(session), stock: VecDeque::new(), node, _warden: warden })
    }

    /// A new ID, or what PostgreSQL said instead. One query serves all requests that are `waiting`,
    /// however slow it is. A server that is gone is started again.
    pub fn issue(&mut self, waiting: usize) -> Result<i64, Fault> {
        loop {
            if let Some(id) = self.stock.pop_front() {
                return Ok(id);
            }
            let mut session = match self.session.take() {
                Some(session) => session,
                None => self.connect()?,
            };
            // The server may have issued before the connection broke.
            self.stock =
                next_ids(&mut session, waiting).map_err(|error| fault(error, Code::Crash))?;
            self.session = Some(session);
        }
    }

    fn connect(&mut self) -> Result<Client, Fault> {
        self.revive()
            .map_err(|error| Fault::new(Code::TemporarilyUnavailable, format!("{error:#}")))?;
        let session = self.node.config("postgres").connect(NoTls);
        session.map_err(|error| fault(error, Code::TemporarilyUnavailable))
    }

    /// On the same data directory, with the lease that it holds: no ID comes twice.
    fn revive(&mut self) -> Result<()> {
        if let Some(pid) = self.node.pid() {
            if processes_in(&self.node.data())?.contains(&pid) {
                return Ok(());
            }
            // What is left of it would keep a new one from starting.
            self.node.kill9_all()?;
        }
        self.node.start()
    }
}

/// `datacenter_id` and `machine_id` of the node at this place.
fn identity(place: usize) -> (usize, usize) {
    (place / MACHINES, place % MACHINES)
}

fn next_ids(session: &mut Client, count: usize) -> Result<VecDeque<i64>, Error> {
    const LARGEST: usize = 1_000;
    let count = count.min(LARGEST) as i64;
    let rows =
        session.query_typed("SELECT snowflake_nextval_batch($1)", &[(&count, Type::INT8)])?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// An error that PostgreSQL reported means that there was no ID; time or an operator may help where
/// its class is that of resources, intervention or the system. `otherwise`: the connection broke.
fn fault(error: Error, otherwise: Code) -> Fault {
    let Some(said) = error.as_db_error() else {
        return Fault::new(otherwise, format!("{:#}", anyhow::Error::new(error)));
    };
    let state = said.code().code();
    let passing = ["53", "57", "58"].iter().any(|class| state.starts_with(class));
    let code = if passing { Code::TemporarilyUnavailable } else { Code::Abort };
    let parts = [Some(said.message()), said.detail(), said.hint()];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    Fault::new(code, format!("{state}: {}", parts.join("; ")))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_place_up_to_the_last_there_is_has_another_identity() {
        let identities: HashSet<_> = (0..MOST).map(identity).collect();
        assert_eq!((identities.len(), MOST), (1024, 1024));
        assert!(identities.iter().all(|&(datacenter, machine)| datacenter < 32 && machine < 32));
    }
}
