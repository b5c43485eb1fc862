//! What looks at tables and changes them, with the caller's rights: partitions, adoption of existing keys,
//! the search for servers that share an identity, and the order of IDs across servers. Nothing here issues an ID.

mod adopt;
mod audit;
mod guard;
mod owner;
mod partition;
mod spi;
mod trigger;
mod witness;

use crate::error::{Code, Report};
use pgrx::pg_sys;
use std::ffi::CStr;

/// The value of an argument that must have one.
fn given<T>(argument: &str, value: Option<T>) -> T {
    let message = || format!("argument \"{argument}\" must not be null");
    let refusal = || Report::new(Code::ERRCODE_NULL_VALUE_NOT_ALLOWED, message(), "", "");
    value.unwrap_or_else(|| refusal().raise())
}

/// The refusal where an OID is not that of a relation.
fn no_relation(oid: pg_sys::Oid) -> Report {
    let message = format!("relation with OID {} does not exist", oid.to_u32());
    Report::new(Code::ERRCODE_UNDEFINED_TABLE, message, "", "")
}

/// Refuses a change in a transaction that is read-only, as on a standby, which would say so of the first lock.
fn prevent_if_read_only(function: &CStr) {
    // SAFETY: a valid C string.
    unsafe { pg_sys::PreventCommandIfReadOnly(function.as_ptr()) };
}
