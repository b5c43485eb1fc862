//! Addresses on loopback, which need no permission.

use std::net::IpAddr;

/// All of it is this machine.
pub(super) const NETWORK: &str = "127.0.0.0/8";

/// A random part of loopback, for nobody else to be in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loopback([u8; 2]);

impl Loopback {
    pub(super) fn new() -> Self {
        Self([fastrand::u8(1..), fastrand::u8(..)])
    }

    /// The address of node `number`, or another one.
    pub(super) fn address(self, number: usize) -> IpAddr {
        let Self([b, c]) = self;
        IpAddr::from([127, b, c, u8::try_from(number + 1).unwrap_or(u8::MAX)])
    }
}
