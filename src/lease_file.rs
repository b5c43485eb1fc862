//! The lease on disk: `pg_snowflake.lease` in the data directory.

use crate::error::Refusal;
use pgrx::pg_sys;
use snowflake_core::Record;
use std::fs::{File, OpenOptions, rename};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;

/// Where the record stands. Server processes have the data directory as their working directory.
pub const NAME: &str = "pg_snowflake.lease";
/// Where a new record is written before it takes the place of the old one.
const TEMPORARY_NAME: &str = "pg_snowflake.lease.tmp";
/// More than any version's record; what is longer is no record.
const MAX_LEN: u64 = 4_096;

/// The record, if there is a file.
///
/// # Errors
/// When the file cannot be read, or is not exactly what this version writes.
pub fn read() -> Result<Option<Record>, Refusal> {
    // A link that leads nowhere is not "no file", and a pipe must not make the reader wait.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(NAME) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refusal("open", NAME)(error)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_LEN).read_to_end(&mut bytes).map_err(refusal("read", NAME))?;
    Record::from_bytes(&bytes).map(Some).map_err(Refusal::LeaseDamaged)
}

/// Replaces the record, durably: when this returns, no crash brings the old one back.
///
/// # Errors
/// With the step that failed. The old record or the new one is there then, and whole.
pub fn write(record: &Record) -> Result<(), Refusal> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(TEMPORARY_NAME)
        .map_err(refusal("create", TEMPORARY_NAME))?;
    file.write_all(&record.to_bytes()).map_err(refusal("write", TEMPORARY_NAME))?;
    sync(&file).map_err(refusal("fsync", TEMPORARY_NAME))?;
    rename(TEMPORARY_NAME, NAME).map_err(refusal("rename", TEMPORARY_NAME))?;
    // Without this, the directory may still name the old file after a power cut.
    File::open(".").and_then(|directory| sync(&directory)).map_err(refusal("fsync", "."))
}

/// As all of PostgreSQL's files, unless the administrator has switched that off.
fn sync(file: &File) -> io::Result<()> {
    // SAFETY: a plain read of a setting, which only this process writes.
    if unsafe { pg_sys::enableFsync } { file.sync_all() } else { Ok(()) }
}

fn refusal(action: &'static str, name: &'static str) -> impl Fn(io::Error) -> Refusal {
    move |error| Refusal::LeaseFile { action, name, errno: error.raw_os_error().unwrap_or(0) }
}
