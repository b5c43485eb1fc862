//! The distributed systems that `pg_snowflake` is for, run on real servers and measured. One module a
//! system, its programs in `bin/`; a scenario has a function that runs it and returns a
//! [`report::Report`].
//!
//! The servers are those of [`snowflake_cluster`]: private, thrown away, found by `$PG_CONFIG`.

pub mod alternatives;
pub mod independent;
pub mod interrupt;
pub mod maelstrom;
pub mod mesh;
pub mod network;
pub mod patroni;
pub mod report;
pub mod requests;
pub mod twins;
