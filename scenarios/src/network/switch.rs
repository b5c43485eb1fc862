//! A namespace for each node, and one for the switch that their cables end in.
//!
//! Nothing has a name outside: no other network can be in the way, and the kernel removes it all
//! with the last process.

use std::{
    fmt::Write as _,
    io::Write as _,
    net::SocketAddr,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use snowflake_testkit::Namespace;

/// That of the nodes, for nobody else to see.
pub(super) const NETWORK: &str = "10.77.0.0/24";

#[derive(Debug)]
pub(super) struct Switch {
    switch: Namespace,
    nodes: Vec<Namespace>,
}

/// PostgreSQL's own, as nobody else is there.
const PORT: u16 = 5432;

pub(super) fn address(node: usize) -> SocketAddr {
    let host = u8::try_from(node + 1).unwrap_or(u8::MAX);
    SocketAddr::from(([10, 77, 0, host], PORT))
}

/// The hardware address of a node's end of its cable.
fn hardware(node: usize) -> String {
    format!("02:00:00:00:00:{:02x}", node + 1)
}

/// One that nobody has.
const NOWHERE: &str = "02:00:00:00:00:ff";

impl Switch {
    pub(super) fn new(nodes: usize) -> Result<Self> {
        let switch = Namespace::make().context("making a network namespace")?;
        ip(&switch, "link add name switch up type bridge\n")?;
        let nodes = (0..nodes).map(|_| Ok(Namespace::make()?)).collect::<Result<_>>()?;
        let made = Self { switch, nodes };
        for node in 0..made.nodes.len() {
            made.plug_in(node)?;
        }
        Ok(made)
    }

    fn plug_in(&self, node: usize) -> Result<()> {
        let (namespace, mac) = (self.namespace(node), hardware(node));
        let cable = format!(
            "link add name port{node} type veth peer name eth0 address {mac} netns {}
             link set dev port{node} master switch up\n",
            namespace.path().display()
        );
        ip(&self.switch, &cable)?;
        let mut end = format!(
            "link set dev lo up
             address add {}/24 dev eth0
             link set dev eth0 up\n",
            address(node).ip()
        );
        // Known from the start, so that a heal does not have to wait for anybody to ask.
        self.others(node).for_each(|other| end += &neighbour(other, &hardware(other)));
        ip(namespace, &end)
    }

    pub(super) fn namespace(&self, node: usize) -> &Namespace {
        &self.nodes[node]
    }

    fn others(&self, node: usize) -> impl Iterator<Item = usize> + use<> {
        (0..self.nodes.len()).filter(move |&other| other != node)
    }

    /// `from` sends it to hardware that is not there: lost in silence, as on a bad line.
    pub(super) fn block(&self, from: usize, to: usize) -> Result<()> {
        ip(self.namespace(from), &neighbour(to, NOWHERE))
    }

    /// At the switch, so that the node keeps its address.
    pub(super) fn unplug(&self, node: usize) -> Result<()> {
        ip(&self.switch, &format!("link set dev port{node} down\n"))
    }

    pub(super) fn heal(&self) -> Result<()> {
        let mut ports = String::new();
        for node in 0..self.nodes.len() {
            writeln!(ports, "link set dev port{node} up")?;
            let right: String =
                self.others(node).map(|other| neighbour(other, &hardware(other))).collect();
            ip(self.namespace(node), &right)?;
        }
        ip(&self.switch, &ports)
    }
}

fn neighbour(node: usize, hardware: &str) -> String {
    let address = address(node).ip();
    format!("neighbour replace {address} lladdr {hardware} dev eth0 nud permanent\n")
}

/// Runs `ip` on these lines.
fn ip(namespace: &Namespace, lines: &str) -> Result<()> {
    let mut command = Command::new("ip");
    command.args(["-batch", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = namespace.enter(|| command.spawn())?.context("running ip")?;
    child.stdin.take().context("no way to talk to ip")?.write_all(lines.as_bytes())?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("ip {lines:?} failed with {}: {}", output.status, errors.trim());
    }
    Ok(())
}
