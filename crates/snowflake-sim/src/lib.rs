//! Servers in simulated time. What runs is the code that runs in PostgreSQL (`snowflake-core`), on another
//! host: [`server::Process`] implements its trait `Host` on simulated clocks, disks and WAL.
//!
//! Here: the surroundings ([`clock`], [`disk`], [`wal`]), the processes of a server ([`server`], [`process`],
//! [`recovery`], [`session`]), servers with their standbys ([`fleet`]), and the two ways to make trouble: all
//! kinds at random ([`worlds`]) and every fault at every step ([`faults`], [`scenarios`]). [`check`] judges.
//!
//! Not here: any rule of issuing, and PostgreSQL itself. Its processes are coroutines, which suspend in calls
//! of the host; everything follows from a seed or a schedule.
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "a program in several files: no other crate calls it")]
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "what fails here is a fault of the simulation"
)]

pub mod check;
pub mod clock;
pub mod disk;
pub mod faults;
pub mod fleet;
pub mod process;
pub mod recovery;
pub mod scenarios;
pub mod scheduler;
pub mod server;
pub mod session;
pub mod wal;
pub mod worlds;
