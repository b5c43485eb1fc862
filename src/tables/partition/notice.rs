//! What the caller may not expect, and is told.

use super::bounds::{Bounds, time_text};
use super::parent::{Parent, Partition};
use super::spi;
use std::ffi::{CStr, CString};

/// The partition is there already.
pub fn exists(parent: &Parent, partition: &Partition) {
    let (partition, parent) = (partition.name.to_bytes(), parent.name.to_bytes());
    let message: [&[u8]; 5] = [
        b"partition \"",
        partition,
        b"\" of \"",
        parent,
        b"\" with these bounds already exists, skipping",
    ];
    spi::notice(&text(&message));
}

/// There are IDs between a new partition and its neighbours.
pub fn gaps(parent: &Parent, partitions: &[Partition], name: &CStr, bounds: Bounds) {
    let before = partitions.iter().rfind(|it| it.bounds.end <= bounds.first);
    let after = partitions.iter().find(|it| it.bounds.first >= bounds.end);
    if let Some(before) = before.filter(|it| it.bounds.end < bounds.first) {
        gap(parent, before.bounds.end, bounds.first, &before.name, name);
    }
    if let Some(after) = after.filter(|it| it.bounds.first > bounds.end) {
        gap(parent, bounds.end, after.bounds.first, name, &after.name);
    }
}

fn gap(parent: &Parent, from: i64, to: i64, before: &CStr, after: &CStr) {
    let times =
        format!("no partition for IDs from {} to {}, between \"", time_text(from), time_text(to));
    let (before, after) = (before.to_bytes(), after.to_bytes());
    let message = text(&[times.as_bytes(), before, b"\" and \"", after, b"\""]);
    let detail = match &parent.default {
        Some(name) => {
            text(&[b"Rows with these IDs go to the default partition \"", name.to_bytes(), b"\"."])
        }
        None => c"Rows with these IDs are rejected.".to_owned(),
    };
    let hint = c"Give times with an offset from UTC: without one they are read in the session's time zone.";
    spi::notice_with(&message, &detail, hint);
}

/// Texts in the encoding of the database, of which none has a zero byte.
fn text(parts: &[&[u8]]) -> CString {
    CString::new(parts.concat()).unwrap_or_default()
}
