//! Real PostgreSQL servers for the tests and the demo of `pg_snowflake`.
//!
//! What an ID generator promises is about processes: crashes, restarts, failovers, sessions that
//! race. This crate looks at the extension from outside, as a client does:
//!
//! - [`Node`] is a private, throw-away server: it can be stopped, crashed, killed, cloned into a
//!   standby and promoted, and leaves nothing behind when dropped.
//! - [`Ledger`] collects the IDs that clients received and finds the first one that breaks a promise.
//! - [`Load`] is sessions that ask as fast as they can, whatever happens to the server; [`requests`] are
//!   made at a given rate, and each has a deadline. Both keep a ledger.
//! - [`shim`] gives a server a wall clock of its own and a disk that fails on demand; [`durable`]
//!   knows what of the lease a power cut would leave.
//! - [`interrupt`] is Ctrl-C. Servers and [`Tied`] programs end with this process, however it ends; a
//!   [`Warden`] ends what such programs have started, and removes their directory.
//! - [`pages`] takes the README and the pages of `docs/` apart, for the tests that run what is in them.
//!
//! The scenarios are in `tests/`, one a file. The programs of the server under test come from
//! `$PG_CONFIG --bindir` (`pg_config` when unset) and must have `pg_snowflake` installed. PostgreSQL
//! refuses to run as root, so root's servers run as `$SNOWFLAKE_SERVER_USER` (`postgres` when unset,
//! or `nobody`). Linux only: it leans on `/proc` and on the parent-death signal.

mod builder;
pub mod durable;
pub mod explained;
mod grouped;
pub mod guard;
pub mod interrupt;
pub mod latency;
pub mod ledger;
mod load;
pub mod node;
mod not_done;
pub mod orders;
mod outage;
pub mod pages;
mod poll;
mod process;
mod program;
mod refusal;
pub mod requests;
mod settings;
pub mod shim;
mod tied;
mod warden;

pub use builder::{Builder, make_home, private_directory, scratch};
pub use explained::PRIMARY_GONE;
pub use grouped::grouped;
pub use ledger::{Ledger, Session};
pub use load::{Load, Query, Tally};
pub use node::Node;
pub use not_done::not_done;
pub use outage::{Outage, time_to_first_id};
pub use poll::{DEADLINE, wait_for};
pub use process::{freeze, kill9_in, processes_in};
pub use program::{Installation, major_version, run, version};
pub use refusal::{Refusal, refusal};
pub use settings::shared_settings;
pub use tied::Tied;
pub use warden::Warden;
