//! `pg_snowflake`: sortable 64-bit IDs inside PostgreSQL, issued by every node on its own.
//!
//! What a server does is in `snowflake-core`: the ordinary path to the next ID, batches, pacing, the lease,
//! the keeper, replay. Here is what makes it PostgreSQL's: SQL in and out ([`api`], [`status`], [`tables`]), settings
//! ([`guc`], [`node`], [`machine`]), reports ([`error`]), shared memory ([`shared`]), the hooks where PostgreSQL calls us ([`life`],
//! [`replay`], [`keeper`]), and what the core asks of PostgreSQL ([`host`]). A call goes [`api`] -> [`server`] -> core.

use pgrx::prelude::*;

mod api;
mod clock;
mod error;
mod guc;
mod host;
mod install;
mod keeper;
mod lease_file;
mod life;
mod lock;
mod machine;
mod node;
mod outdated;
mod replay;
mod row;
mod server;
mod shared;
mod sleep;
mod standbys;
mod status;
mod tables;
#[cfg(any(test, feature = "pg_test"))]
mod tests;
mod time;
mod wal;

pg_module_magic!(name, version);

/// Called by PostgreSQL when the library is loaded: by the postmaster where it is preloaded, else
/// by the first session that calls one of its functions.
#[pg_guard]
#[allow(non_snake_case, reason = "the name is PostgreSQL's")]
pub extern "C-unwind" fn _PG_init() {
    // SAFETY: a plain read of a global that only this process writes.
    let preloading = unsafe { pg_sys::process_shared_preload_libraries_in_progress };
    guc::define(preloading);
    if preloading {
        machine::find();
        life::request();
        replay::watch();
        keeper::register();
        life::report_at_start();
    }
}

/// `cargo pgrx test` looks for this module at the root of the crate.
#[cfg(test)]
pub mod pg_test {
    /// Called once before the tests.
    pub fn setup(_options: Vec<&str>) {}

    /// The settings that every server of this project runs with.
    #[must_use]
    pub fn postgresql_conf_options() -> Vec<&'static str> {
        include_str!("../pgrx-conf/postgresql.conf")
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect()
    }
}
