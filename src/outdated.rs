//! Functions of older versions of the extension. A database has them until ALTER EXTENSION pg_snowflake UPDATE, and
//! pg_upgrade wants to find every one of them in the library.

use crate::error::{Code, Report};
use pgrx::prelude::*;
use std::ffi::CStr;

/// Until 0.1.0: the last ID of the session.
#[pg_extern(sql = false)]
fn snowflake_lastval(call: pg_sys::FunctionCallInfo) -> i64 {
    outdated(call)
}

/// Until 0.1.0: a partition, without its later rules.
#[pg_extern(sql = false)]
fn snowflake_partition(call: pg_sys::FunctionCallInfo) -> i32 {
    outdated(call)
}

/// Until 0.1.0: said what it did in NOTICEs.
#[pg_extern(sql = false)]
fn snowflake_adopt(call: pg_sys::FunctionCallInfo) {
    outdated(call)
}

/// Refuses a call of a function that this library does not have any more, or has in another form.
pub fn outdated(call: pg_sys::FunctionCallInfo) -> ! {
    // SAFETY: PostgreSQL passes a valid call; the name is a new C string, or null where the function is gone.
    let name = unsafe {
        let name = pg_sys::get_func_name((*(*call).flinfo).fn_oid);
        if name.is_null() { c"" } else { CStr::from_ptr(name) }
    };
    Report::new(
        Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("function {}() is of an older version of pg_snowflake", name.to_string_lossy()),
        "The library is newer than the extension in this database.",
        "Run ALTER EXTENSION pg_snowflake UPDATE in this database.",
    )
    .raise()
}
