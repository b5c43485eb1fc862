//! What row triggers share: the row, its column of IDs, warnings by the thousand.

mod column;
mod known;
mod row;
mod warnings;

pub use known::Known;
pub use row::{Event, Row};
pub use warnings::{Finding, Trigger, warn};

/// A row as the trigger protocol passes it: a pointer in a datum.
pub type RowPointer = i64;
