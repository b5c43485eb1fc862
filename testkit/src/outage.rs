//! The ways in which a server goes down and comes back.

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Error, Result};

use crate::{
    explained,
    node::Node,
    poll::{DEADLINE, wait_for},
};

const READY: &str = "database system is ready to accept connections";
const ANY_BACKEND: &str = "
    SELECT pid FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
    ORDER BY random() LIMIT 1";

/// What happens to a server under load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// SIGKILL to one of the backends; the postmaster starts everything else anew.
    KilledBackend,
    /// An immediate shutdown, and a start.
    ImmediateStop,
    /// SIGKILL to every process at once, and a start.
    KilledServer,
    /// A fast shutdown, and a start.
    CleanRestart,
}

impl Outage {
    /// Every kind.
    pub const ALL: [Self; 4] =
        [Self::KilledBackend, Self::ImmediateStop, Self::KilledServer, Self::CleanRestart];

    /// What a server says at FATAL to the clients of a load while it goes and comes.
    pub const LOG: [&str; explained::OUTAGE.len()] = explained::OUTAGE;

    /// Lets it happen, runs `meanwhile`, and returns when the server accepts connections again.
    /// [`Outage::KilledBackend`] needs a load to find a victim in.
    pub fn strike(
        self,
        node: &mut Node,
        meanwhile: impl FnOnce(&Node) -> Result<()>,
    ) -> Result<()> {
        let starts = |node: &Node| Ok::<_, Error>(node.log()?.matches(READY).count());
        let before = starts(node)?;
        match self {
            Self::KilledBackend => kill_a_backend(node)?,
            Self::ImmediateStop => node.crash()?,
            Self::KilledServer => node.kill9_all()?,
            Self::CleanRestart => node.stop()?,
        }
        meanwhile(node)?;
        match self {
            Self::KilledBackend => {
                wait_for("the server to start over", DEADLINE, || Ok(starts(node)? > before))
            }
            _ => node.start(),
        }
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KilledBackend => "kill -9 of a backend",
            Self::ImmediateStop => "immediate stop",
            Self::KilledServer => "SIGKILL of all processes",
            Self::CleanRestart => "clean restart",
        })
    }
}

/// How long it takes from now until a new session has an ID.
pub fn time_to_first_id(node: &Node) -> Result<Duration> {
    let start = Instant::now();
    node.connect("postgres")?.query_one("SELECT snowflake_nextval()", &[])?;
    Ok(start.elapsed())
}

/// Tries again if the victim turns out to have ended already.
fn kill_a_backend(node: &Node) -> Result<()> {
    let mut client = node.connect("postgres")?;
    wait_for("a backend to kill", DEADLINE, || {
        let victim = client.query_opt(ANY_BACKEND, &[])?;
        Ok(victim.is_some_and(|row| node.kill9_backend(row.get(0)).is_ok()))
    })
}
