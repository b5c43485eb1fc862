//! The systems that unique IDs are made for, on real PostgreSQL servers, with every claim measured.
//!
//! One module a scenario; each has a function that runs it and returns a [`report::Report`].

pub mod alternatives;
pub mod interrupt;
pub mod mesh;
pub mod network;
pub mod report;
pub mod requests;
pub mod twins;
