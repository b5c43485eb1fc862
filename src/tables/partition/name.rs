//! What a partition is called.

use super::bounds::time_of;
use super::parent::Parent;
use super::refusal;
use super::spi::{self, Param, query};
use crate::error::Report;
use crate::node;
use pgrx::pg_sys;
use std::ffi::{CStr, CString};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::iter;

/// The most bytes that a name has.
const MAX_BYTES: usize = pg_sys::NAMEDATALEN as usize - 1;

/// How many names are tried before a random one.
const MAX_NUMBER: i64 = 10;

/// A name that the caller gives.
///
/// # Errors
/// Where PostgreSQL would not take it, or would cut it.
pub fn given(name: &[u8]) -> Result<CString, Report> {
    match name.len() {
        0 => Err(refusal::no_name()),
        length if length > MAX_BYTES => Err(refusal::long_name(length, MAX_BYTES)),
        // A text has no zero byte.
        _ => Ok(CString::new(name).unwrap_or_default()),
    }
}

/// A name for the partition that begins with an ID, by the clock of a time zone or that of the session.
pub fn of(parent: &Parent, first: i64, zone: Option<&CStr>) -> CString {
    let time = node::space().and_then(|space| time_of(space, first));
    let time = time.unwrap_or_else(|refusal| refusal.raise());
    let candidate = |number| {
        let [max, number] = [MAX_BYTES as i64, number].map(|it| Param::bigint(Some(it)));
        let params = [Param::oid(parent.oid), Param::timestamptz(time), max, number];
        let [name, is_free] = spi::rows_in_zone(zone, query!("name.sql"), &params).pop()?;
        name.filter(|_| is_free.as_deref() == Some(c"true"))
    };
    // The last one is no number that others could have guessed, and taken, beforehand.
    let random = || RandomState::new().build_hasher().finish().cast_signed() & i64::MAX;
    let free = (1..=MAX_NUMBER).chain(iter::once_with(random)).find_map(candidate);
    free.unwrap_or_else(|| refusal::names_taken(&parent.name).raise())
}
