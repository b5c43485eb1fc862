//! Addresses for servers, and networks between them that can be cut.
//!
//! All of it is on loopback and takes no permission. Clients reach the server beside them by its socket.

mod cut;
mod relays;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context, Result};
use snowflake_testkit::Builder;

pub use cut::Cut;
pub use relays::Network;

/// All addresses are in it, and it is all this machine.
pub const LOOPBACK: &str = "127.0.0.0/8";

/// A random part of loopback, which no other program uses, and a port that is free there.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    subnet: [u8; 2],
    port: u16,
}

impl Addresses {
    /// The port is one that is free at every address, and below those that the kernel gives to outgoing
    /// connections: one of these could have it while a server is down for a moment.
    pub fn new() -> Result<Self> {
        let mut ports: Vec<_> = (20_000..30_000).collect();
        fastrand::shuffle(&mut ports);
        let port = ports.into_iter().find(is_free).context("no port is free")?;
        Ok(Self { subnet: [fastrand::u8(1..), fastrand::u8(..)], port })
    }

    /// The address of this number, up to 254.
    #[must_use]
    pub fn of(self, number: usize) -> SocketAddr {
        let Self { subnet: [b, c], port } = self;
        let host = u8::try_from(number + 1).unwrap_or(u8::MAX);
        SocketAddr::from(([127, b, c, host], port))
    }

    /// Has the server that is to be made listen at the address of this number.
    #[must_use]
    pub fn listen(self, number: usize, server: Builder) -> Builder {
        server.listen(self.of(number), LOOPBACK)
    }
}

/// Whether no program listens at this port, at one address or at all, as a PostgreSQL may at 5432.
fn is_free(&port: &u16) -> bool {
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_at_one_address_or_at_all_is_not_free() -> Result<()> {
        for host in [Ipv4Addr::UNSPECIFIED, Ipv4Addr::new(127, 5, 4, 3)] {
            let listener = TcpListener::bind((host, 0))?;
            assert!(!is_free(&listener.local_addr()?.port()), "{host}");
        }
        Ok(())
    }
}
