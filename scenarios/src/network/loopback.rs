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

fn free_everywhere() -> Result<u16> {
    let mut ports: Vec<_> = CANDIDATES.collect();
    fastrand::shuffle(&mut ports);
    ports.into_iter().find(is_free).with_context(|| format!("no port of {CANDIDATES:?} is free"))
}

/// Whether nobody listens there, neither anywhere nor everywhere, as a PostgreSQL may at 5432.
fn is_free(&port: &u16) -> bool {
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_somebody_has_everywhere_or_somewhere_is_not_free() -> Result<()> {
        for host in [Ipv4Addr::UNSPECIFIED, Ipv4Addr::new(127, 5, 4, 3)] {
            let listener = TcpListener::bind((host, 0))?;
            assert!(!is_free(&listener.local_addr()?.port()), "{host}");
        }
        Ok(())
    }
}
