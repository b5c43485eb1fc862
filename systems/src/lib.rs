//! The distributed systems that `pg_snowflake` is for, run on real servers and measured.

pub mod patroni;
pub mod report;
