//! Many servers in simulated time: none of them knows of another, each has its own clock, disk and
//! luck, and what they hand out is checked as one.
//!
//! The types of the core are the real ones; `server`, `bulk`, `lease`, `wal` and `standby` put them
//! together as the extension's `issuer.rs`, `bulk.rs`, `lease.rs`, `wal.rs` and `keeper.rs` do, with a
//! wait in virtual time where those sleep, write or can be interrupted. What the order across servers
//! is worth is stated in [`bound`]. Everything follows from the seed.
#![allow(dead_code, reason = "the test and the program use their own parts")]

pub mod bound;
pub mod bulk;
pub mod capacity;
pub mod check;
pub mod client;
pub mod disk;
pub mod lease;
pub mod log;
pub mod machine;
pub mod node;
pub mod order;
pub mod report;
pub mod series;
pub mod server;
pub mod standby;
pub mod wal;
pub mod world;
