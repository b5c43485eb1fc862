//! The lease on disk: `pg_snowflake.lease` in the data directory.

use crate::error::Refusal;
use pgrx::pg_sys;
use snowflake_core::Record;
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

/// A step of reading or writing the file. 0 is no step, so that one can be kept in an atomic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    /// Opening the file.
    Open = 1,
    /// Reading it.
    Read,
    /// Making a new one.
    Create,
    /// Writing that.
    Write,
    /// Making its content durable.
    Sync,
    /// Giving it the place of the old one.
    Rename,
    /// Making that durable.
    SyncDirectory,
}

impl Step {
    const ALL: [Self; 7] = [
        Self::Open,
        Self::Read,
        Self::Create,
        Self::Write,
        Self::Sync,
        Self::Rename,
        Self::SyncDirectory,
    ];

    /// What could not be done, for "could not ...".
    pub fn action(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Read => "read",
            Self::Create => "create",
            Self::Write => "write",
            Self::Sync | Self::SyncDirectory => "fsync",
            Self::Rename => "rename",
        }
    }

    /// The file that it could not be done to; none for the data directory.
    pub fn file(self) -> Option<&'static str> {
        match self {
            Self::Open | Self::Read => Some(NAME),
            Self::Create | Self::Write | Self::Sync | Self::Rename => Some(TEMPORARY_NAME),
            Self::SyncDirectory => None,
        }
    }
}

/// A step that failed, with the operating system's error number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The step.
    pub step: Step,
    /// `errno`, 0 if there was none.
    pub errno: i32,
}

impl Failure {
    /// The failure in 64 bits, none of which is 0 for all of them.
    pub fn to_bits(self) -> u64 {
        u64::from(self.step as u8) << 32 | u64::from(self.errno.cast_unsigned())
    }

    /// The failure of such bits; none of 0.
    pub fn from_bits(bits: u64) -> Option<Self> {
        let step = Step::ALL.into_iter().find(|&step| u64::from(step as u8) == bits >> 32)?;
        Some(Self { step, errno: (bits as u32).cast_signed() })
    }
}

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
        Err(error) => return Err(failure(Step::Open)(error).into()),
    };
    let mut bytes = Vec::new();
    file.take(MAX_LEN).read_to_end(&mut bytes).map_err(failure(Step::Read))?;
    Record::from_bytes(&bytes).map(Some).map_err(Refusal::LeaseDamaged)
}

/// Replaces the record, durably: when this returns, no crash brings the old one back.
///
/// # Errors
/// With the step that failed. The old record or the new one is there then, and whole.
pub fn write(record: &Record) -> Result<(), Failure> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(file_mode())
        .open(TEMPORARY_NAME)
        .map_err(failure(Step::Create))?;
    file.write_all(&record.to_bytes()).map_err(failure(Step::Write))?;
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
