//! Maelstrom, Jepsen's workbench for distributed systems, in which nodes are programs that exchange
//! JSON lines: its workloads `echo` and `unique-ids`.
//!
//! - `bin/maelstrom-node.rs` is a node. It starts a PostgreSQL server of its own when it is told who
//!   it is, and answers `generate` with that server's IDs: [`protocol`], [`node`], [`issuer`].
//!
//! The protocol is that of <https://github.com/jepsen-io/maelstrom>, `doc/protocol.md` and
//! `doc/workloads.md`; the codes of errors are in its `resources/errors.edn`. What the documents leave
//! open is decided as its source does (`src/maelstrom/{client,net,process,db}.clj`).

pub mod issuer;
pub mod lines;
pub mod node;
pub mod protocol;
pub mod scratch;
