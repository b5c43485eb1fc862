//! The distributed systems that `pg_snowflake` is for, run on real servers and measured. One module a
//! system, its programs in `bin/`.
//!
//! The servers are those of [`snowflake_cluster`]: private, thrown away, found by `$PG_CONFIG`.

pub mod maelstrom;
pub mod patroni;
pub mod report;
