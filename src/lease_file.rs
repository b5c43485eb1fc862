//! The lease on disk: `pg_snowflake.lease` in the data directory.
//!
//! Here: files and what they are called. Not here: what the bytes mean.

use crate::sleep::{Event, waiting};
use pgrx::pg_sys;
use snowflake_core::{FILE_LEN, Failure, Record, Step};
use std::ffi::c_int;
use std::fs::{File, OpenOptions, rename};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};

/// Where the lease stands. Server processes have the data directory as their working directory.
pub const NAME: &str = "pg_snowflake.lease";
/// Where a new file is made before it takes the place of the old one.
const TEMPORARY_NAME: &str = "pg_snowflake.lease.tmp";
/// More than any version's file; what is longer is no lease.
const MAX_LEN: u64 = 4 * FILE_LEN as u64;

/// A link that leads nowhere is not "no file", and a pipe must not make a process wait.
const FLAGS: c_int = libc::O_NOFOLLOW | libc::O_NONBLOCK;

/// What could not be done in a step, for "could not ...".
pub fn action(step: Step) -> &'static str {
    match step {
        Step::Open => "open",
        Step::Read => "read",
        Step::Create => "create",
        Step::Fill | Step::Write => "write",
        Step::SyncNew | Step::Sync | Step::SyncDirectory => "fsync",
        Step::Rename => "rename",
    }
}

/// The file that it could not be done to; none for the data directory.
pub fn file(step: Step) -> Option<&'static str> {
    match step {
        Step::Open | Step::Read | Step::Write | Step::Sync => Some(NAME),
        Step::Create | Step::Fill | Step::SyncNew | Step::Rename => Some(TEMPORARY_NAME),
        Step::SyncDirectory => None,
    }
}

/// What the file holds, if there is one.
///
/// # Errors
/// With the step that failed.
pub fn read() -> Result<Option<Vec<u8>>, Failure> {
    let file = match OpenOptions::new().read(true).custom_flags(FLAGS).open(NAME) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failure(Step::Open)(error)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_LEN).read_to_end(&mut bytes).map_err(failure(Step::Read))?;
    Ok(Some(bytes))
}

/// Makes the file, or gives its place to a new one.
///
/// # Errors
/// With the step that failed. The old file or the new one is there then, and whole.
pub fn create(content: &[u8; FILE_LEN]) -> Result<(), Failure> {
    waiting(Event::LeaseWrite, || {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .custom_flags(FLAGS)
            .mode(file_mode())
            .open(TEMPORARY_NAME)
            .map_err(failure(Step::Create))?;
        file.write_all(content).map_err(failure(Step::Fill))?;
        sync(|| file.sync_all()).map_err(failure(Step::SyncNew))?;
        rename(TEMPORARY_NAME, NAME).map_err(failure(Step::Rename))
    })
}

/// Makes durable that the file is the one that has the name: else the directory may still name the old one after a
/// power cut.
///
/// # Errors
/// With the step that failed.
pub fn sync_directory() -> Result<(), Failure> {
    let synced = waiting(Event::LeaseWrite, || {
        sync(|| File::open(".").and_then(|directory| directory.sync_all()))
    });
    match synced {
        // As PostgreSQL has it: a file system that cannot do this has no need of it.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EBADF)) => Ok(()),
        synced => synced.map_err(failure(Step::SyncDirectory)),
    }
}

/// Overwrites a part of the file, durably.
///
/// # Errors
/// With the step that failed. Nothing is known of that part of the file then.
pub fn write(offset: u64, record: &[u8; Record::LEN]) -> Result<(), Failure> {
    waiting(Event::LeaseWrite, || {
        let file = OpenOptions::new().write(true).custom_flags(FLAGS).open(NAME);
        let file = file.map_err(failure(Step::Open))?;
        file.write_all_at(record, offset).map_err(failure(Step::Write))?;
        sync(|| file.sync_data()).map_err(failure(Step::Sync))
    })
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
fn sync(sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    // SAFETY: a plain read of a setting, which only this process writes.
    if unsafe { pg_sys::enableFsync } { sync() } else { Ok(()) }
}

fn failure(step: Step) -> impl Fn(io::Error) -> Failure {
    move |error| Failure { step, errno: error.raw_os_error().unwrap_or(0) }
}
