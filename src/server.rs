//! This server, put together from its settings, its shared memory and PostgreSQL.
//!
//! Here: where a session's calls into the core begin. Not here: what a server does (`snowflake-core`).

use crate::error::Refusal;
use crate::host::Postgres;
use crate::{node, shared};
use snowflake_core::Generator;
use std::sync::OnceLock;

/// This server, as one of its processes sees it.
pub type Server = snowflake_core::Server<'static, Postgres>;

/// Set by the first call in a session that found everything in order. None of that can change
/// within a session: settings are fixed, and a promoted server never becomes a standby again.
static READY: OnceLock<Server> = OnceLock::new();

/// The next ID of this server.
///
/// # Errors
/// With the reason why none can be issued; nothing is lost then.
#[inline]
pub fn next() -> Result<i64, Refusal> {
    Ok(ready()?.next()?)
}

/// The next ID of this server, greater than an ID of any server.
///
/// # Errors
/// Also when that would move the ID clock too far ahead.
#[inline]
pub fn next_after(after: i64) -> Result<i64, Refusal> {
    Ok(ready()?.next_after(after)?)
}

/// An ID that the next one is not below. None is issued, so that the ID space stays open where none has been.
///
/// # Errors
/// As [`check`].
pub fn upcoming() -> Result<i64, Refusal> {
    Ok(configured()?.upcoming()?)
}

/// This server, if it can issue IDs.
///
/// # Errors
/// As [`check`].
#[inline]
pub fn ready() -> Result<&'static Server, Refusal> {
    match READY.get() {
        Some(server) => Ok(server),
        None => prepare(),
    }
}

#[cold]
fn prepare() -> Result<&'static Server, Refusal> {
    let server = check()?;
    Ok(READY.get_or_init(|| server))
}

/// This server, if it can issue IDs now: the library is preloaded, the settings name a node, and then what
/// the core asks for.
///
/// # Errors
/// With the first of these that is missing.
pub fn check() -> Result<Server, Refusal> {
    let server = configured()?;
    server.check()?;
    Ok(server)
}

/// This server, as it is configured.
///
/// # Errors
/// When the library is not preloaded, or the settings keep it from issuing.
pub fn configured() -> Result<Server, Refusal> {
    shared::get().ok_or(Refusal::NotPreloaded)?;
    of(node::generator()?).ok_or(Refusal::NotPreloaded)
}

/// The server that issues by this generator; none if the library is not preloaded.
pub fn of(generator: Generator) -> Option<Server> {
    Some(Server { generator, state: &shared::get()?.state, host: &Postgres })
}
