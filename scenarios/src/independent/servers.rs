//! Servers that know nothing of each other, and HAProxy in front of them.

use anyhow::{Context, Result};
use snowflake_testkit::{Node, Outage, explained::CLIENT_GONE, version};

use super::balancer::Balancer;
use crate::{
    network::Addresses,
    report::{Claim, quiet_logs},
};

const SCHEMA: &str = "
    CREATE EXTENSION pg_snowflake;
    CREATE TABLE orders (
        id bigint PRIMARY KEY DEFAULT snowflake_nextval(),
        note text NOT NULL DEFAULT 'an order')";
const IDS: &str = "SELECT id FROM orders ORDER BY id";
const BITS: &str = "SELECT datacenter_bits + machine_bits + sequence_bits FROM snowflake_status()";

/// The servers and what leads to them.
#[derive(Debug)]
pub struct Servers {
    /// What clients talk to; first, because they see HAProxy go before the servers do.
    pub balancer: Balancer,
    /// The servers.
    pub nodes: Vec<Node>,
}

impl Servers {
    /// Starts a server for each of the machine ids, with an empty table `orders`.
    pub fn start(machines: &[u32]) -> Result<Self> {
        let addresses = Addresses::new()?;
        let make = |(server, &machine)| make(addresses, server, machine);
        let nodes = machines.iter().enumerate().map(make).collect::<Result<Vec<_>>>()?;
        let servers: Vec<_> = (0..nodes.len()).map(|server| addresses.of(server)).collect();
        let balancer = Balancer::start(addresses.of(nodes.len()), &servers)?;
        Ok(Self { balancer, nodes })
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
            format!("pg_snowflake {}", env!("CARGO_PKG_VERSION")),
            format!("PostgreSQL {}", version()?),
            Balancer::version()?,
            format!("{} servers", self.nodes.len()),
            "an address on loopback for each".to_owned(),
        ])
    }
}

fn make(addresses: Addresses, server: usize, machine: u32) -> Result<Node> {
    let node = Node::builder(&format!("server-{server}"))
        .set("pg_snowflake.machine_id", &machine.to_string())
        .set("cluster_name", &server.to_string());
    let node = addresses.listen(server, node).start()?;
    node.connect("postgres")?.batch_execute(SCHEMA)?;
    Ok(node)
}
