//! The page.
/// x
pub struct Page {pub all: Vec<super::Measured>, pub machine: super::Machine, pub seconds: u64}
