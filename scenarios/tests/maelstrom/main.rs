//! Maelstrom's protocol to the letter, its workloads at their rate, and nodes that go down.

mod conformance;
mod controls;
mod endings;
mod node;
mod outages;
