//! The ways in which a server goes down and comes back.

use std::{fmt, time::Duration};

use anyhow::{Error, Result};

use crate::{node::Node, poll::wait_for};

const DEADLINE: Duration = Duration::from_secs(60);
const READY: &str = "database system is ready to accept connections";
const ANY_BACKEND: &str = "
    SELECT pid FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
    ORDER BY random() LIMIT 1";

/// What a standby says at FATAL about a primary that is gone.
pub const PRIMARY_GONE: [&str; 4] = [
    "could not connect to the primary server",
    "could not receive data from WAL stream",
    "could not send data to WAL stream",
    "could not send end-of-streaming message to primary",
];

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
    pub const LOG: [&str; 6] = [
        "FATAL:  the database system is starting up",
        "FATAL:  the database system is shutting down",
        "FATAL:  the database system is in recovery mode",
        "FATAL:  the database system is not yet accepting connections",
        "FATAL:  terminating connection due to administrator command",
        "FATAL:  terminating connection due to unexpected postmaster exit",
    ];

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

/// Tries again if the victim turns out to have ended already.
fn kill_a_backend(node: &Node) -> Result<()> {
    let mut client = node.connect("postgres")?;
    wait_for("a backend to kill", DEADLINE, || {
        let victim = client.query_opt(ANY_BACKEND, &[])?;
        Ok(victim.is_some_and(|row| node.kill9_backend(row.get(0)).is_ok()))
    })
}
