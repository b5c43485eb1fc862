//! Three servers that clients insert into, and two more that only give out tickets.

use std::net::SocketAddr;

use anyhow::Result;
use postgres::{Client, Config, NoTls};
use snowflake_testkit::{DEADLINE, Node, major_version};

use super::{
    client::Session,
    scheme::{Scheme, ticket_schema},
};
use crate::{
    network::Network,
    report::{Claim, quiet_logs},
};

/// The servers that clients insert into.
pub const PLACES: usize = 3;
/// They come first in the network.
const TICKET_SERVERS: usize = 2;

/// All of the servers, and what is between them.
#[derive(Debug)]
pub struct Site {
    network: Network,
    ticket_servers: Vec<Node>,
    places: Vec<Node>,
    version: u32,
}

impl Site {
    /// Starts them, with a table for each scheme.
    pub fn start() -> Result<Self> {
        let network = Network::new(TICKET_SERVERS + PLACES)?;
        let start = |number: usize, name: &str, machine: usize| {
            // PostgreSQL's default: with the shared settings' 32 MB, every larger index would suffer
            // from that above all.
            let node = Node::builder(&format!("{name}-{machine}"))
                .set("shared_buffers", "128MB")
                .set("pg_snowflake.machine_id", &machine.to_string());
            network.servers().listen(number, node).start()
        };
        let tickets = 0..TICKET_SERVERS;
        let ticket_servers =
            tickets.map(|number| start(number, "tickets", 10 + number)).collect::<Result<_>>()?;
        let places = (0..PLACES).map(|place| start(TICKET_SERVERS + place, "place", place + 1));
        let places = places.collect::<Result<_>>()?;
        let site = Self { network, ticket_servers, places, version: major_version()? };
        site.create()?;
        Ok(site)
    }

    fn create(&self) -> Result<()> {
        for (place, node) in self.places.iter().enumerate() {
            let mut client = node.connect("postgres")?;
            for scheme in Scheme::ALL {
                client.batch_execute(&scheme.schema(self.version, place, PLACES))?;
            }
        }
        // One and two ticket servers are two schemes: each has databases of its own there.
        for scheme in Scheme::ALL.into_iter().filter(|scheme| scheme.tickets() > 0) {
            for (number, node) in self.ticket_servers.iter().take(scheme.tickets()).enumerate() {
                let name = scheme.table();
                node.connect("postgres")?.batch_execute(&format!("CREATE DATABASE {name}"))?;
                let schema = ticket_schema(number, scheme.tickets());
                node.connect(name)?.batch_execute(&schema)?;
            }
        }
        Ok(())
    }

    /// The servers' major version.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// What is between the servers.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// A client beside server `place`: it reaches that one by its socket, and the ticket servers at
    /// their addresses.
    pub fn session(&self, scheme: Scheme, place: usize) -> Result<Session> {
        self.session_by(scheme, place, |number| self.network.servers().of(number))
    }

    /// The same, with ticket servers behind relays, which would cost time under load.
    pub fn session_by_relay(&self, scheme: Scheme, place: usize) -> Result<Session> {
        self.session_by(scheme, place, |number| {
            self.network.address(TICKET_SERVERS + place, number)
        })
    }

    fn session_by(
        &self,
        scheme: Scheme,
        place: usize,
        address: impl Fn(usize) -> SocketAddr,
    ) -> Result<Session> {
        let mut session = Session::new(scheme, place, self.places[place].connect("postgres")?)?;
        for address in (0..scheme.tickets()).map(address) {
            let mut config = Config::new();
            config.host(&address.ip().to_string()).port(address.port());
            config.user("postgres").dbname(scheme.table()).connect_timeout(DEADLINE);
            session.add_ticket_server(config.connect(NoTls)?)?;
        }
        // Not all of them the same server first.
        session.turn(fastrand::usize(..2));
        Ok(session)
    }

    /// A session at each server that makes the scheme's keys, with what makes one.
    pub fn sources(&self, scheme: Scheme) -> Result<Vec<(Client, &'static str)>> {
        let Some(key) = scheme.expression(self.version) else {
            let servers = self.ticket_servers.iter().take(scheme.tickets());
            let connect = |node: &Node| Ok((node.connect(scheme.table())?, super::scheme::TICKET));
            return servers.map(connect).collect();
        };
        self.places.iter().map(|node| Ok((node.connect("postgres")?, key))).collect()
    }

    /// A session at the first of the servers.
    pub fn connect(&self) -> Result<Client> {
        self.places[0].connect("postgres")
    }

    /// That the logs have nothing unexpected.
    pub fn quiet_logs(&self) -> Result<Claim> {
        quiet_logs(self.places.iter().chain(&self.ticket_servers), &[])
    }
}
