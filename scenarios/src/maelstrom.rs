//! Maelstrom, Jepsen's workbench for distributed systems, in which nodes are programs that exchange
//! JSON lines: its workloads `echo` and `unique-ids`.
//!
//! - `bin/maelstrom-node.rs` is a node. It starts a PostgreSQL server of its own when it is told who
//!   it is, and answers `generate` with that server's IDs: [`protocol`], [`node`], [`issuer`].
//! - `bin/maelstrom-harness.rs` does to nodes what the workbench does (`maelstrom test`), for where
//!   there is no Java: [`harness`], [`network`], [`partition`], [`report`]. [`run`] has it do so to
//!   our node, for scenario 4.
//! - `bin/maelstrom-impostor.rs` is a node that does one thing wrong, to see that it is noticed.
//!
//! The protocol is that of <https://github.com/jepsen-io/maelstrom>, `doc/protocol.md` and
//! `doc/workloads.md`; the codes of errors are in its `resources/errors.edn`. What the documents leave
//! open is decided as its source does (`src/maelstrom/{client,net,process,db}.clj`).

mod check;
mod clients;
pub mod harness;
pub mod issuer;
pub mod lines;
mod nemesis;
pub mod network;
pub mod node;
pub mod partition;
mod process;
pub mod protocol;
pub mod report;
mod scenario;
pub mod scratch;

pub use scenario::{Options, run};
