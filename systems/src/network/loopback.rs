//! Addresses on loopback, which need no permission.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context, Result};

use super::CANDIDATES;

/// All of it is this machine.
pub(super) const NETWORK: &str = "127.0.0.0/8";

/// A random part of loopback, for nobody else to be in, and a port there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loopback {
    subnet: [u8; 2],
    port: u16,
}

impl Loopback {
    pub(super) fn new() -> Result<Self> {
        Ok(Self { subnet: [fastrand::u8(1..), fastrand::u8(..)], port: free_everywhere()? })
    }

    /// The address of node `number`, or another one.
    pub(super) fn address(self, number: usize) -> SocketAddr {
        let Self { subnet: [b, c], port } = self;
        let host = u8::try_from(number + 1).unwrap_or(u8::MAX);
        SocketAddr::from(([127, b, c, host], port))
    }
}

/// A port at which nobody listens, neither anywhere nor everywhere, as a PostgreSQL may at 5432.
fn free_everywhere() -> Result<u16> {
    let mut ports: Vec<_> = CANDIDATES.collect();
    fastrand::shuffle(&mut ports);
    let is_free = |&port: &u16| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok();
    ports.into_iter().find(is_free).with_context(|| format!("no port of {CANDIDATES:?} is free"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_listens_everywhere_is_not_in_the_way() -> Result<()> {
        let (first, second) = (Loopback::new()?, Loopback::new()?);
        let _everywhere = TcpListener::bind((Ipv4Addr::UNSPECIFIED, first.port))?;
        assert!(TcpListener::bind(first.address(0)).is_err());
        let _somewhere = TcpListener::bind(second.address(0))?;
        assert_ne!(free_everywhere()?, first.port);
        Ok(())
    }
}
