//! `pg_snowflake` at work in systems that others designed: what they ask of an ID generator, asked of
//! real PostgreSQL servers with the extension. One module a system, its programs in `bin/`.
//!
//! The servers are those of [`snowflake_cluster`]: private, thrown away, found by `$PG_CONFIG`.

pub mod maelstrom;
