//! Worlds of up to 1,024 servers, none of which knows of another, each with its own clock, disk and luck; what
//! they hand out is judged as one.

pub mod capacity;
pub mod node;
pub mod report;
pub mod series;
pub mod world;
