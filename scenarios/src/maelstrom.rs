//! Maelstrom, Jepsen's workbench for distributed systems, in which nodes are programs that exchange
//! JSON lines: its workloads `echo` and `unique-ids`.
//!
//! - `bin/maelstrom-node.rs` is a node, for the original workbench, too. It starts a private PostgreSQL
//!   server when it is told who it is, and answers `generate` with that server's IDs: `protocol`,
//!   [`node`], `server`.
//! - [`runner`] starts nodes, asks them at a rate, and has [`judge`] compare their answers with what was
//!   asked. It has no network to cut, as nodes never talk to each other; [`run`] is scenario 4.
//! - `bin/maelstrom-impostor.rs` is a node that does one thing wrong, to see that it is noticed.
//!
//! The protocol is that of <https://github.com/jepsen-io/maelstrom>, `doc/protocol.md` and
//! `doc/workloads.md`; the codes of errors are in its `resources/errors.edn`.

pub mod judge;
pub mod node;
mod protocol;
pub mod runner;
mod scenario;
mod server;

pub use scenario::{Options, claims, run};
