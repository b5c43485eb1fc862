//! Who issues.

use serde::{Deserialize, Serialize};

/// The identity of one issuing server: no two servers may share both numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Node {
    /// 0 to 2^datacenter_bits - 1.
    pub datacenter: u32,
    /// 0 to 2^machine_bits - 1.
    pub machine: u32,
}
