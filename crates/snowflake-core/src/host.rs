//! What a server needs from outside. PostgreSQL is one host, the simulation another, loom a third.
//!
//! Here: the trait, what a host is told, how its disk fails. Not here: any decision.

use crate::{FILE_LEN, FloorSource, Node, Obstacle, Record};
use std::time::Duration;

/// The surroundings of a server, as one of its processes sees them. Calls block; one that is cancelled
/// unwinds through the caller, which leaves nothing half done.
pub trait Host {
    /// Wall clock: milliseconds since 1970-01-01 00:00:00 UTC, negative before.
    fn wall_millis(&self) -> i64;

    /// Monotonic clock, wall clock, and the monotonic clock again, read in this order: microseconds,
    /// the wall clock's since 1970. The monotonic clock never steps and has one origin in all processes.
    fn clocks(&self) -> [i64; 3];

    /// How far load may push the ID clock ahead of the wall clock, in milliseconds.
    fn max_drift_millis(&self) -> u32;

    /// How many sessions there can be.
    fn max_sessions(&self) -> i64;

    /// Whether the server replays WAL: it will never issue then, or not before it is promoted.
    fn is_in_recovery(&self) -> bool;

    /// The database cluster that this server's data belongs to; its standbys have the same.
    fn system_identifier(&self) -> u64;

    /// Runs `work` while no other process runs any.
    fn exclusive<T>(&self, work: impl FnOnce() -> T) -> T;

    /// What the lease file holds, if there is one.
    ///
    /// # Errors
    /// With the step that failed.
    fn read_lease(&self) -> Result<Option<Vec<u8>>, Failure>;

    /// Makes the lease file, or gives its place to a new one, whose content is durable. That the new one has the
    /// place is not, before [`Host::sync_directory`].
    ///
    /// # Errors
    /// With the step that failed. The old file or the new one is there then, and whole.
    fn create_lease(&self, file: &[u8; FILE_LEN]) -> Result<(), Failure>;

    /// Makes durable that the lease file is the one that processes see.
    ///
    /// # Errors
    /// With the step that failed.
    fn sync_directory(&self) -> Result<(), Failure>;

    /// Overwrites a part of the lease file, durably.
    ///
    /// # Errors
    /// With the step that failed. Nothing is known of that part of the file then; the rest is as it was.
    fn write_lease(&self, offset: u64, record: &[u8; Record::LEN]) -> Result<(), Failure>;

    /// Writes a lease to WAL, flushes it, and returns where it ends. What is written to WAL after this is replayed
    /// after it.
    fn write_wal(&self, record: &[u8; Record::LEN]) -> u64;

    /// Blocks until the standbys that a COMMIT would wait for have WAL up to there. False if the wait came to an end
    /// before they had. The caller holds nothing.
    fn wait_for_standbys(&self, end: u64) -> bool;

    /// Lets a paced session sleep for so long, or less. The caller holds nothing.
    fn sleep(&self, time: Duration);

    /// Whether there is a keeper, in another process than this.
    fn has_keeper(&self) -> bool;

    /// Has the keeper look now, if it sleeps.
    fn wake_keeper(&self);

    /// Blocks until `is_over` says so, which is asked after each [`Host::wake_sessions`], and now and then. The caller
    /// holds nothing.
    fn wait_for_lease(&self, is_over: impl FnMut() -> bool);

    /// Wakes the sessions that wait for the lease.
    fn wake_sessions(&self);

    /// Tells the server's log.
    fn log(&self, event: Event);

    /// Another process may run here. A simulation in one thread switches here; in a server, processes
    /// switch anywhere.
    #[inline]
    fn preempt(&self) {}
}

/// What the administrator should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Another node than before issues from now on.
    OtherNode {
        /// The one that the lease on disk names.
        before: Node,
        /// This one.
        now: Node,
    },
    /// The ID clock is ahead of the wall clock from the start.
    StartsAhead {
        /// So far.
        millis: i64,
        /// Because of this.
        source: FloorSource,
    },
    /// The administrator moved the ID clock, in milliseconds since 1970.
    Raised {
        /// From here.
        from: i64,
        /// To here.
        to: i64,
    },
    /// There is no lease file, and so nothing is known of earlier IDs.
    NoLease,
    /// One slot of the lease file is damaged, and the other one counts.
    SlotDamaged,
    /// The lease on disk was written in another database cluster.
    OtherSystem {
        /// By the lease.
        recorded: u64,
        /// This one.
        now: u64,
    },
    /// A write of the lease took this many milliseconds, which is more than half of what it was to last.
    SlowWrite(i64),
    /// The wall clock was set back by this many milliseconds.
    StepBack(i64),
    /// The wall clock was set forward by this many milliseconds, which is not believed yet.
    StepForward(i64),
    /// It is now.
    Followed(i64),
    /// What the keeper had to do failed.
    KeeperFailed(Obstacle),
}

/// A step of reading or writing the lease file. 0 is no step, so that one can be kept in an atomic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    /// Opening the file.
    Open = 1,
    /// Reading it.
    Read,
    /// Making a new one.
    Create,
    /// Writing a new one.
    Fill,
    /// Making its content durable.
    SyncNew,
    /// Giving it the place of the old one.
    Rename,
    /// Making that durable.
    SyncDirectory,
    /// Overwriting a part of the file.
    Write,
    /// Making that durable.
    Sync,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Open,
        Self::Read,
        Self::Create,
        Self::Fill,
        Self::SyncNew,
        Self::Rename,
        Self::SyncDirectory,
        Self::Write,
        Self::Sync,
    ];
}

/// A step that failed, with the operating system's error number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The step.
    pub step: Step,
    /// `errno`, 0 if there was none.
    pub errno: i32,
}

impl Failure {
    /// The failure in 64 bits, none of which is 0 for all of them.
    pub(crate) fn to_bits(self) -> u64 {
        u64::from(self.step as u8) << 32 | u64::from(self.errno.cast_unsigned())
    }

    /// The failure of such bits; none of 0.
    pub(crate) fn from_bits(bits: u64) -> Option<Self> {
        let step = Step::ALL.into_iter().find(|&step| u64::from(step as u8) == bits >> 32)?;
        Some(Self { step, errno: (bits as u32).cast_signed() })
    }
}
