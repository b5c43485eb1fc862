//! Maelstrom's protocol to the letter, and nodes that go down.

mod conformance;
mod endings;
mod node;
mod outages;
