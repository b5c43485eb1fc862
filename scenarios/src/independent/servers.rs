//! Servers that know nothing of each other, and HAProxy in front of them.

use anyhow::{Context, Result};
use snowflake_testkit::{Node, Outage, explained::CLIENT_GONE, version};

use super::balancer::Balancer;
use crate::{
    network::Network,
    report::{Claim, quiet_logs},
};

const SCHEMA: &str = "
    CREATE EXTENSION pg_snowflake;
    CREATE TABLE orders (
        id bigint PRIMARY KEY DEFAULT snowflake_nextval(),
        client int NOT NULL,
        note text NOT NULL DEFAULT 'an order')";
const IDS: &str = "SELECT id FROM orders ORDER BY id";
const BITS: &str = "SELECT datacenter_bits + machine_bits + sequence_bits FROM snowflake_status()";
/// Through HAProxy, where the client cannot know.
pub(super) const WHICH: &str = "SELECT current_setting('cluster_name')::int";

/// The servers and what leads to them.
#[derive(Debug)]
pub struct Servers {
    // First, because clients see HAProxy go before the servers do.
    balancer: Balancer,
    nodes: Vec<Node>,
    network: Network,
}

impl Servers {
    /// Starts a server for each of the machine ids, with an empty table `orders`; each of them,
    /// HAProxy and the clients are nodes of a network.
    pub fn start(machines: &[u32], loopback: bool) -> Result<Self> {
        let network = Network::whole(machines.len() + 2, loopback)?;
        let mut nodes = Vec::new();
        for (server, &machine) in machines.iter().enumerate() {
            nodes.push(make(&network, server, machine)?);
        }
        let addresses: Vec<_> =
            (0..machines.len()).map(|server| network.address(server, server)).collect();
        let balancer = Balancer::start(&network, machines.len(), &addresses)?;
        Ok(Self { balancer, nodes, network })
    }

    /// Does something where the clients are, and where the threads that it starts stay.
    pub fn at_clients<T>(&self, action: impl FnOnce() -> T) -> Result<T> {
        self.network.at(self.nodes.len() + 1, action)
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

    /// What clients talk to.
    #[must_use]
    pub fn balancer(&self) -> &Balancer {
        &self.balancer
    }

    /// The IDs of the rows in each server's table, in ascending order.
    pub fn tables(&self) -> Result<Vec<Vec<i64>>> {
        let table = |node: &Node| {
            let rows = node.connect("postgres")?.query(IDS, &[])?;
            Ok(rows.iter().map(|row| row.get(0)).collect())
        };
        self.nodes.iter().map(table).collect()
    }

    /// How many bits of an ID are below its millisecond.
    pub fn bits_below_time(&self) -> Result<u32> {
        let bits: i32 = self.nodes[0].connect("postgres")?.query_one(BITS, &[])?.get(0);
        bits.try_into().context("the layout of an ID")
    }

    /// That the logs have nothing that a stop does not explain.
    pub fn quiet_logs(&self) -> Result<Claim> {
        quiet_logs(&self.nodes, &[&Outage::LOG[..], &[CLIENT_GONE]].concat())
    }

    /// What it all runs on, one phrase each.
    pub fn conditions(&self) -> Result<Vec<String>> {
        Ok(vec![
            format!("PostgreSQL {}", version()?),
            Balancer::version()?,
            format!("{} servers", self.nodes.len()),
            self.network.to_string(),
        ])
    }
}

fn make(network: &Network, server: usize, machine: u32) -> Result<Node> {
    let node = Node::builder(&format!("server-{server}"))
        .set("pg_snowflake.machine_id", &machine.to_string())
        .set("cluster_name", &server.to_string());
    let node = network.connect(server, node).start()?;
    node.connect("postgres")?.batch_execute(SCHEMA)?;
    Ok(node)
}
