//! Active-active: nodes that all take writes and send them to all the others.

pub mod engine;
mod round;
mod scenario;

use std::time::{Duration, Instant};

use anyhow::Result;
use postgres::Client;
use snowflake_testkit::{
    Builder, DEADLINE, Node, PRIMARY_GONE,
    explained::CUT_OFF,
    interrupt, major_version,
    requests::{Requests, Running},
};

use crate::{
    network::Network,
    report::{Claim, quiet_logs},
};
use engine::Engine;

pub use scenario::{Options, run};

/// Clients of each node.
const SESSIONS: usize = 6;
/// Between two looks at the tables.
const INTERVAL: Duration = Duration::from_millis(20);
const SCHEMA: &str = "
    CREATE EXTENSION pg_snowflake;
    CREATE TABLE orders (
        id bigint PRIMARY KEY DEFAULT snowflake_nextval(),
        node int NOT NULL DEFAULT current_setting('cluster_name')::int,
        note text NOT NULL DEFAULT md5(random()::text))";
const INSERT: &str = "INSERT INTO orders DEFAULT VALUES RETURNING id";
const STREAMS: &str = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
const CHECKSUM: &str =
    "SELECT count(*), md5(coalesce(string_agg(orders::text, ',' ORDER BY id), '')) FROM orders";

/// What a node's table holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// How many rows.
    pub rows: i64,
    /// Of every column of every row.
    pub checksum: String,
}

/// Servers, each of which subscribes to each other one.
#[derive(Debug)]
pub struct Mesh {
    nodes: Vec<Node>,
    engine: Engine,
    network: Network,
}

impl Mesh {
    /// Starts a server for each of the machine ids, with a table `orders` that is guarded.
    pub fn start(machines: &[u32]) -> Result<Self> {
        Self::start_with(machines, |node| node)
    }

    /// The same with servers that are prepared otherwise, too.
    pub fn start_with(machines: &[u32], prepare: impl Fn(Builder) -> Builder) -> Result<Self> {
        let network = Network::new(machines.len())?;
        let engine = Engine::of(major_version()?);
        let mut nodes = Vec::new();
        for (node, machine) in machines.iter().enumerate() {
            interrupt::check()?;
            let builder = Node::builder(&format!("mesh-{node}"))
                .set("pg_snowflake.machine_id", &machine.to_string())
                .set("cluster_name", &node.to_string());
            let builder = prepare(engine.configure(builder));
            nodes.push(network.servers().listen(node, builder).start()?);
        }
        let mesh = Self { nodes, engine, network };
        mesh.connect()?;
        Ok(mesh)
    }

    fn connect(&self) -> Result<()> {
        for (i, node) in self.nodes.iter().enumerate() {
            node.connect("postgres")?.batch_execute(SCHEMA)?;
            self.guard(i, "")?;
            self.engine.publish(node, i, self.network.servers().of(i))?;
        }
        for (to, node) in self.nodes.iter().enumerate() {
            for from in self.network.others(to) {
                self.engine.subscribe(node, to, from, self.network.address(to, from))?;
            }
        }
        for node in &self.nodes {
            self.wait_for_streams(node)?;
        }
        Ok(())
    }

    fn wait_for_streams(&self, node: &Node) -> Result<()> {
        let others = i64::try_from(self.nodes.len())? - 1;
        let mut client = node.connect("postgres")?;
        interrupt::wait_for("the others to subscribe", DEADLINE, || {
            Ok(client.query_one(STREAMS, &[])?.get::<_, i64>(0) == others)
        })
    }

    /// Takes the guards away.
    pub fn unguard(&self) -> Result<()> {
        for client in &mut self.clients()? {
            client.batch_execute("DROP TRIGGER guard ON orders")?;
        }
        Ok(())
    }

    /// Has the node's table guarded with this argument of `snowflake_guard`, such as `'error'`.
    pub fn guard(&self, node: usize, argument: &str) -> Result<()> {
        // Always, because it is to see what replication brings.
        let sql = format!(
            "CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON orders
                 FOR EACH ROW EXECUTE FUNCTION snowflake_guard({argument});
             ALTER TABLE orders ENABLE ALWAYS TRIGGER guard"
        );
        Ok(self.nodes[node].connect("postgres")?.batch_execute(&sql)?)
    }

    /// Has each node's IDs be greater than those of all rows that it has received.
    pub fn witness(&self) -> Result<()> {
        for client in &mut self.clients()? {
            client.batch_execute(
                "CREATE TRIGGER witness BEFORE INSERT OR UPDATE ON orders
                     FOR EACH ROW EXECUTE FUNCTION snowflake_witness();
                 ALTER TABLE orders ENABLE ALWAYS TRIGGER witness",
            )?;
        }
        Ok(())
    }

    /// The servers.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The servers, to be changed.
    pub fn nodes_mut(&mut self) -> &mut [Node] {
        &mut self.nodes
    }

    /// What is between them.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Clients that insert rows, each at the server beside it: by its socket, whatever becomes of the
    /// network.
    pub fn ask(&self, per_second: u32, time: Duration, deadline: Duration) -> Result<Running> {
        let query = INSERT.to_owned();
        let requests =
            Requests { query, per_second, time, deadline, sessions: SESSIONS, lifetime: None };
        let sockets: Vec<_> = self.nodes.iter().map(|node| node.config("postgres")).collect();
        requests.start(&sockets, self.nodes.len())
    }

    /// What it all runs on, one phrase each.
    pub fn conditions(&self) -> Result<Vec<String>> {
        let engine = self.engine.describe(&mut self.nodes[0].connect("postgres")?)?;
        Ok(vec![engine, format!("{} nodes, a relay between every two", self.nodes.len())])
    }

    /// What each node's table holds.
    pub fn contents(&self) -> Result<Vec<Content>> {
        self.nodes.iter().map(content).collect()
    }

    /// How long it takes until every table holds the same, and `rows` rows or more; None if that
    /// does not come within `limit`.
    pub fn time_to_converge(&self, rows: i64, limit: Duration) -> Result<Option<Duration>> {
        let start = Instant::now();
        let mut clients = self.clients()?;
        loop {
            interrupt::check()?;
            let counts = clients.iter_mut().map(count).collect::<Result<Vec<_>>>()?;
            let took = start.elapsed();
            // Counting is cheap; the checksum is worth it only then.
            let counts_agree = counts.iter().all(|&count| count >= rows && count == counts[0]);
            if counts_agree && self.contents()?.windows(2).all(|pair| pair[0] == pair[1]) {
                return Ok(Some(took));
            }
            if took > limit {
                return Ok(None);
            }
            interrupt::pause(INTERVAL)?;
        }
    }

    /// That the logs have nothing that a cut does not explain.
    pub fn quiet_logs(&self) -> Result<Claim> {
        quiet_logs(&self.nodes, &[&PRIMARY_GONE[..], &CUT_OFF].concat())
    }

    /// A session at each node.
    pub fn clients(&self) -> Result<Vec<Client>> {
        self.nodes.iter().map(|node| node.connect("postgres")).collect()
    }

    /// Per node, how many rows of each node its table holds.
    pub fn rows_by_origin(&self) -> Result<Vec<Vec<i64>>> {
        self.clients()?.iter_mut().map(|client| by_origin(client, self.nodes.len())).collect()
    }
}

fn by_origin(client: &mut Client, nodes: usize) -> Result<Vec<i64>> {
    let counts = "
        SELECT coalesce(rows, 0)
        FROM generate_series(0, $1 - 1) AS node
        LEFT JOIN (SELECT node, count(*) AS rows FROM orders GROUP BY node) AS o USING (node)
        ORDER BY node";
    let rows = client.query(counts, &[&i32::try_from(nodes)?])?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

fn content(node: &Node) -> Result<Content> {
    let row = node.connect("postgres")?.query_one(CHECKSUM, &[])?;
    Ok(Content { rows: row.get(0), checksum: row.get(1) })
}

fn count(client: &mut Client) -> Result<i64> {
    Ok(client.query_one("SELECT count(*) FROM orders", &[])?.get(0))
}
