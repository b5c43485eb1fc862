//! The distributed systems that `pg_snowflake` is for, run on real servers and measured. One module a
//! system; a scenario has a function that runs it and returns a [`report::Report`]. [`suite`] has the
//! list of them, and `bin/scenarios.rs` runs it.
//!
//! The servers are those of [`snowflake_testkit`]: private, thrown away, found by `$PG_CONFIG`.

pub mod alternatives;
pub mod conversations;
pub mod independent;
pub mod interrupt;
pub mod latency;
pub mod maelstrom;
pub mod markdown;
pub mod mesh;
pub mod network;
pub mod options;
pub mod patroni;
pub mod program;
pub mod report;
pub mod requests;
pub mod simulation;
pub mod suite;
pub mod text;
pub mod twins;
