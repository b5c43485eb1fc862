//! What CREATE EXTENSION does besides making SQL objects: it makes the lease file, so that a server that has the
//! extension and no file knows that it has lost one. pg_upgrade runs no script of an extension, and copies no file of it.
//!
//! Here: that. Not here: what is in the file (`snowflake-core`).

use crate::error::Refusal;
use crate::host::Postgres;
use crate::{node, shared};
use pgrx::pg_sys::elog::PgLogLevel;
use pgrx::prelude::*;
use snowflake_core::create_lease;

/// Called by the extension's script. A server where the library is not preloaded issues nothing, and has no file.
#[pg_extern(sql = false)]
fn snowflake_install() {
    let Some(shared) = shared::get() else {
        return Refusal::NotPreloaded.report_as(PgLogLevel::WARNING);
    };
    // Settings that are wrong are said where an ID is asked for; until there is one they can be changed.
    let space = node::space().unwrap_or_default();
    if let Err(obstacle) = create_lease(&shared.state, &Postgres, space) {
        Refusal::from(obstacle).report_as(PgLogLevel::WARNING);
    }
}

// tools/ installs the script as it is. `cargo pgrx` makes one of this and of the in-backend tests.
extension_sql_file!("../sql/pg_snowflake--1.0.0.sql", name = "surface");
