//! Free ports on loopback.

use std::{
    net::{Ipv4Addr, TcpListener},
    ops::Range,
};

use anyhow::{Result, ensure};

/// Below those that the kernel gives to outgoing connections: one of these could have the port of a
/// member that is down for a moment.
const CANDIDATES: Range<u16> = 20_000..30_000;

/// `N` different ports that nobody listens on.
pub fn free<const N: usize>() -> Result<[u16; N]> {
    let mut ports: Vec<_> = CANDIDATES.collect();
    fastrand::shuffle(&mut ports);
    // Held until all are found.
    let listeners: Vec<_> = ports
        .into_iter()
        .filter_map(|port| Some((port, TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?)))
        .take(N)
        .collect();
    ensure!(listeners.len() == N, "fewer than {N} ports of {CANDIDATES:?} are free");
    Ok(std::array::from_fn(|i| listeners[i].0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_different_and_free() -> Result<()> {
        let ports = free::<20>()?;
        let held: Vec<_> =
            ports.iter().map(|&port| TcpListener::bind(("127.0.0.1", port))).collect();
        assert!(held.iter().all(Result::is_ok));
        Ok(())
    }
}
