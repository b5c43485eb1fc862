//! Replication from every node to every other, without circles, by what the PostgreSQL offers.

use std::{fmt, net::SocketAddr};

use anyhow::Result;
use postgres::Client;
use snowflake_testkit::{Builder, Node, version};

/// What carries the rows. From 16 on, subscriptions can be told to leave alone what did not begin
/// where they subscribe to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Native logical replication with `origin = none`.
    Native,
    /// pglogical with `forward_origins = {}`.
    Pglogical,
}

/// How soon both ends of a connection give up one that is silent, and how soon they try again. The
/// receiver's end of pglogical's has its own: a keepalive after 20 s, 30 s to connect.
const TIMEOUTS: [(&str, &str); 3] = [
    ("wal_sender_timeout", "10s"),
    ("wal_receiver_timeout", "10s"),
    ("wal_retrieve_retry_interval", "1s"),
];
const ROOM: [(&str, &str); 4] = [
    ("wal_level", "logical"),
    ("max_worker_processes", "20"),
    ("max_wal_senders", "20"),
    ("max_replication_slots", "20"),
];
const PGLOGICAL: [(&str, &str); 2] = [
    ("shared_preload_libraries", "pg_snowflake, pglogical"),
    // As a PostgreSQL of its age wants it: without, no connection gets a decoder.
    ("output_plugin_libraries", "pgoutput, test_decoding, pglogical_output"),
];

impl Engine {
    /// The one for this major version of PostgreSQL.
    #[must_use]
    pub fn of(major: u32) -> Self {
        if major >= 16 { Self::Native } else { Self::Pglogical }
    }

    /// Prepares a server that is to be made.
    #[must_use]
    pub fn configure(self, server: Builder) -> Builder {
        let own: &[_] = if self == Self::Pglogical { &PGLOGICAL } else { &[] };
        let settings = TIMEOUTS.iter().chain(&ROOM).chain(own);
        settings.fold(server, |server, (name, value)| server.set(name, value))
    }

    /// Lets the node's table `orders` be subscribed to.
    pub fn publish(self, node: &Node, name: usize, address: SocketAddr) -> Result<()> {
        let sql = match self {
            Self::Native => "CREATE PUBLICATION mesh FOR TABLE orders".to_owned(),
            Self::Pglogical => format!(
                "CREATE EXTENSION pglogical;
                 SELECT pglogical.create_node('node_{name}', '{}');
                 SELECT pglogical.replication_set_add_table('default', 'orders')",
                source(address)
            ),
        };
        Ok(node.connect("postgres")?.batch_execute(&sql)?)
    }

    /// Brings node `to` what begins at node `from`, which is at `address`.
    pub fn subscribe(self, node: &Node, to: usize, from: usize, address: SocketAddr) -> Result<()> {
        // At the other end it names a slot, beside those of other subscribers.
        let name = subscription(to, from);
        let source = source(address);
        let sql = match self {
            Self::Native => format!(
                "CREATE SUBSCRIPTION {name} CONNECTION '{source}'
                     PUBLICATION mesh WITH (origin = none, copy_data = false)"
            ),
            Self::Pglogical => format!(
                "SELECT pglogical.create_subscription('{name}', '{source}',
                     synchronize_structure := false, synchronize_data := false,
                     forward_origins := '{{}}')"
            ),
        };
        Ok(node.connect("postgres")?.batch_execute(&sql)?)
    }

    /// What carries the rows, with its version.
    pub fn describe(self, client: &mut Client) -> Result<String> {
        let server = version()?;
        Ok(match self {
            Self::Native => format!("PostgreSQL {server}, {self}"),
            Self::Pglogical => {
                let version = "SELECT extversion FROM pg_extension WHERE extname = 'pglogical'";
                let version: String = client.query_one(version, &[])?.get(0);
                format!("PostgreSQL {server}, {self} {version}")
            }
        })
    }
}

fn subscription(to: usize, from: usize) -> String {
    format!("node_{to}_from_{from}")
}

/// How one node connects to another.
fn source(address: SocketAddr) -> String {
    let (host, port) = (address.ip(), address.port());
    format!(
        "host={host} port={port} user=postgres dbname=postgres \
         connect_timeout=3 tcp_user_timeout=10000"
    )
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "native logical replication, origin = none",
            Self::Pglogical => "pglogical",
        })
    }
}
