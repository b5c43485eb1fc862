//! A server as one of its processes sees it, and why it cannot issue IDs.
//!
//! Here: what the other files add to, and the order of obstacles. Not here: settings and their faults.

use crate::{
    Epoch, Failure, Generator, Host, IssueError, Record, RecordError, Space, State, Tick, lease,
};
use thiserror::Error;

/// Less than this before the end of the timestamp section, a start warns.
const WARN_BEFORE_END_MILLIS: i64 = 5 * 365 * 24 * 60 * 60 * 1_000;

/// A server as one of its processes sees it: what its IDs are made of, what its processes share, and
/// what surrounds them.
#[derive(Debug)]
pub struct Server<'a, H> {
    /// Fixed for a server life.
    pub generator: Generator,
    /// Shared by all processes.
    pub state: &'a State,
    /// The surroundings.
    pub host: &'a H,
}

/// What keeps a server from issuing IDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Obstacle {
    /// The lease on disk belongs to another ID space than the settings say.
    #[error("the lease belongs to another ID space")]
    SpaceDiffers {
        /// By the lease.
        recorded: Space,
        /// By the settings.
        configured: Space,
    },
    /// The lease file is not one that this version wrote.
    #[error("the lease file is damaged: {0}")]
    LeaseDamaged(#[from] RecordError),
    /// A step of reading or writing the lease file failed.
    #[error("the lease file cannot be read or written: {0:?}")]
    LeaseFile(Failure),
    /// The clock is before the epoch, and no ID was issued yet.
    #[error("the epoch lies in the future: {0}")]
    EpochInFuture(Epoch),
    /// The timestamp section has run out.
    #[error("the timestamp section is exhausted")]
    Exhausted(Space),
    /// An ID that was shown to the server is too far ahead to be followed.
    #[error("the ID is too far ahead of the clock")]
    TooFarAhead {
        /// The time that the next ID would have, in milliseconds since 1970.
        millis: i64,
        /// The wall clock.
        wall_millis: i64,
        /// How far ahead of it an ID may be, in milliseconds.
        max_drift_millis: u32,
    },
    /// The server is a hot standby.
    #[error("the server is in recovery")]
    Standby,
}

impl From<Failure> for Obstacle {
    fn from(failure: Failure) -> Self {
        Self::LeaseFile(failure)
    }
}

impl<H: Host> Server<'_, H> {
    /// What issuing needs: a lease that fits the settings, a clock inside of the ID space, and a server
    /// that is not a standby, in this order.
    ///
    /// # Errors
    /// With the first of these that is missing. Whether the lease can be written, only the next write
    /// tells: [`State::lease_failure`].
    pub fn check(&self) -> Result<(), Obstacle> {
        self.checked_mark().map(drop)
    }

    /// An ID that the next one is not below, without issuing any.
    ///
    /// # Errors
    /// As [`Server::check`].
    pub fn upcoming(&self) -> Result<i64, Obstacle> {
        let mark = self.checked_mark()?;
        Ok(self.generator.id(mark.max(self.generator.tick_at(self.wall_millis()))))
    }

    /// The mark of a server that can issue IDs.
    fn checked_mark(&self) -> Result<Tick, Obstacle> {
        let mark = self.mark()?;
        has_room(&self.generator, self.wall_millis(), mark)?;
        if self.host.is_in_recovery() { Err(Obstacle::Standby) } else { Ok(mark) }
    }

    #[cold]
    pub(crate) fn obstacle(&self, error: IssueError) -> Obstacle {
        let space = self.generator.space();
        match error {
            IssueError::Exhausted => Obstacle::Exhausted(space),
            IssueError::EpochInFuture => Obstacle::EpochInFuture(space.epoch),
        }
    }
}

/// What would keep a server from issuing IDs, before it has a state; `Ok(true)` if nothing does, but
/// the timestamp section ends in less than five years.
///
/// # Errors
/// As [`Server::check`], which looks at the same things.
pub fn check_at_start<H: Host>(host: &H, generator: &Generator) -> Result<bool, Obstacle> {
    let record = lease::recorded(host, generator)?;
    has_room(generator, host.wall_millis(), record.map_or(0, |Record { end, .. }| end))?;
    let last = generator.space().last_unix_millis();
    Ok(host.wall_millis() > last - WARN_BEFORE_END_MILLIS)
}

/// Whether the ID space has room at present, and at the next tick.
fn has_room(generator: &Generator, now: i64, next: Tick) -> Result<(), Obstacle> {
    let space = generator.space();
    // A clock before the epoch is no obstacle where IDs have been issued before.
    if now < space.epoch.unix_millis() && next == 0 {
        Err(Obstacle::EpochInFuture(space.epoch))
    } else if now > space.last_unix_millis() || generator.check(next).is_err() {
        Err(Obstacle::Exhausted(space))
    } else {
        Ok(())
    }
}
