//! Free ports of a node.

use std::net::{SocketAddr, TcpListener};

use anyhow::{Result, ensure};

use crate::network::{CANDIDATES, Network};

/// `N` different ports at the address of node `node` that nobody listens on. On loopback, whoever
/// listens on all addresses has a port of this one, too.
pub fn free<const N: usize>(network: &Network, node: usize) -> Result<[SocketAddr; N]> {
    let mut ports: Vec<_> = CANDIDATES.collect();
    fastrand::shuffle(&mut ports);
    let address = network.address(node, node).ip();
    let places = ports.into_iter().map(|port| SocketAddr::new(address, port));
    let listen = |place| Some((place, TcpListener::bind(place).ok()?));
    // Held until all are found.
    let held: Vec<_> = network.at(node, || places.filter_map(listen).take(N).collect())?;
    ensure!(held.len() == N, "fewer than {N} ports of {CANDIDATES:?} are free at {address}");
    Ok(std::array::from_fn(|i| held[i].0))
}

#[cfg(test)]
mod tests {
    use snowflake_testkit::{DEADLINE, wait_for};

    use super::*;

    #[test]
    fn ports_are_different_and_free() -> Result<()> {
        for loopback in [true, false] {
            let network = Network::whole(2, loopback)?;
            let places = free::<20>(&network, 1)?;
            let listen = || places.map(TcpListener::bind);
            // A program that another test starts at this moment holds them, too, until it runs.
            wait_for("the ports", DEADLINE, || {
                Ok(network.at(1, listen)?.iter().all(Result::is_ok))
            })?;
        }
        Ok(())
    }
}
