//! The distributed systems that `pg_snowflake` is for, run on real servers and measured. One module a
//! scenario, with a function that runs it and returns a [`report::Report`]; [`suite`] has the list of
//! them, and `bin/scenarios.rs` runs it.
//!
//! Servers, loads, ledgers and Ctrl-C are those of [`snowflake_testkit`]; the networks between servers are
//! in [`network`]. No scenario needs a permission.

pub mod alternatives;
pub mod conversations;
pub mod independent;
pub mod maelstrom;
pub mod markdown;
pub mod mesh;
pub mod network;
pub mod options;
pub mod patroni;
pub mod program;
pub mod report;
pub mod simulation;
pub mod suite;
pub mod text;
pub mod twins;

pub use snowflake_testkit::{interrupt, latency};
