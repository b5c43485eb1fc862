//! The lease on disk: `pg_snowflake.lease` in the data directory.
//!
//! Here: files and what they are called. Not here: what the bytes mean.

use pgrx::pg_sys;
use snowflake_core::{Failure, Record, Step};
use std::ffi::c_int;
use std::fs::{File, OpenOptions, rename};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;

/// Where the record stands. Server processes have the data directory as their working directory.
pub const NAME: &str = "pg_snowflake.lease";
/// Where a new record is written before it takes the place of the old one.
const TEMPORARY_NAME: &str = "pg_snowflake.lease.tmp";
/// More than any version's record; what is longer is no record.
const MAX_LEN: u64 = 4_096;

/// What could not be done in a step, for "could not ...".
pub fn action(step: Step) -> &'static str {
    match step {
        Step::Open => "open",
        Step::Read => "read",
        Step::Create => "create",
        Step::Write => "write",
        Step::Sync | Step::SyncDirectory => "fsync",
        Step::Rename => "rename",
    }
}

/// The file that it could not be done to; none for the data directory.
pub fn file(step: Step) -> Option<&'static str> {
    match step {
        Step::Open | Step::Read => Some(NAME),
        Step::Create | Step::Write | Step::Sync | Step::Rename => Some(TEMPORARY_NAME),
        Step::SyncDirectory => None,
    }
}

/// What the file holds, if there is one.
///
/// # Errors
/// With the step that failed.
pub fn read() -> Result<Option<Vec<u8>>, Failure> {
    // A link that leads nowhere is not "no file", and a pipe must not make the reader wait.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(NAME) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failure(Step::Open)(error)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_LEN).read_to_end(&mut bytes).map_err(failure(Step::Read))?;
    Ok(Some(bytes))
}

/// Replaces the record, durably: when this returns, no crash brings the old one back.
///
/// # Errors
/// With the step that failed. The old record or the new one is there then, and whole.
pub fn write(record: &[u8; Record::LEN]) -> Result<(), Failure> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(file_mode())
        .open(TEMPORARY_NAME)
        .map_err(failure(Step::Create))?;
    file.write_all(record).map_err(failure(Step::Write))?;
    sync(&file).map_err(failure(Step::Sync))?;
    rename(TEMPORARY_NAME, NAME).map_err(failure(Step::Rename))?;
    // Without this, the directory may still name the old file after a power cut.
    File::open(".").and_then(|directory| sync(&directory)).map_err(failure(Step::SyncDirectory))
}

/// The permissions of the server's other files: `initdb -g` lets the group read them.
fn file_mode() -> u32 {
    unsafe extern "C" {
        /// Of PostgreSQL's `common/file_perm.h`, which pgrx has no bindings for.
        static pg_file_create_mode: c_int;
    }
    // SAFETY: a plain read of a global that is set before libraries are loaded.
    unsafe { pg_file_create_mode }.cast_unsigned()
}

/// As all of PostgreSQL's files, unless the administrator has switched that off.
fn sync(file: &File) -> io::Result<()> {
    // SAFETY: a plain read of a setting, which only this process writes.
    if unsafe { pg_sys::enableFsync } { file.sync_all() } else { Ok(()) }
}

fn failure(step: Step) -> impl Fn(io::Error) -> Failure {
    move |error| Failure { step, errno: error.raw_os_error().unwrap_or(0) }
}
