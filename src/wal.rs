//! The lease in WAL, so that a server that replays rows knows that their IDs lie below it.
//!
//! Each extension of the lease is a logical message, which PostgreSQL ignores on replay: a server without
//! this library replays it as well. It belongs to no database, so no logical decoding reports it.
//!
//! Here: the bytes of that message. Not here: what is done on replay (`replay.rs`).

use pgrx::pg_sys;
use snowflake_core::{Record, RecordError};
use std::mem::offset_of;

/// Marks the messages of this library.
const PREFIX: &[u8] = b"pg_snowflake\0";

/// The resource manager whose records logical messages are.
pub const MESSAGES: u32 = pg_sys::RmgrIds::RM_LOGICALMSG_ID;

/// The record's kind among those of its resource manager: the only one there is
/// (`XLOG_LOGICAL_MESSAGE` in PostgreSQL's `replication/message.h`).
const LOGICAL_MESSAGE: u8 = 0;

/// What a logical message begins with: `xl_logical_message` of the same file. Prefix and message follow.
#[repr(C)]
struct Header {
    database: pg_sys::Oid,
    is_transactional: bool,
    prefix_len: usize,
    message_len: usize,
}

/// As long as in C, where the prefix begins right after the last field.
const HEADER_LEN: usize = size_of::<Header>();

/// Writes that IDs up to the record's end may be issued, flushes it, and returns where it ends. What is written to
/// WAL after this call is replayed after it.
pub fn write(record: &[u8; Record::LEN]) -> u64 {
    let mut data = [0; HEADER_LEN + PREFIX.len() + Record::LEN];
    data[offset_of!(Header, prefix_len)..][..8].copy_from_slice(&PREFIX.len().to_ne_bytes());
    data[offset_of!(Header, message_len)..][..8].copy_from_slice(&Record::LEN.to_ne_bytes());
    data[HEADER_LEN..][..PREFIX.len()].copy_from_slice(PREFIX);
    data[HEADER_LEN + PREFIX.len()..].copy_from_slice(record);
    // Flushed, because an ID may be returned that no COMMIT will ever flush: what a standby has received
    // must not lag behind what clients were given.
    // SAFETY: the server is not in recovery; the data lives until it is inserted. A lease alone is
    // no reason for a checkpoint.
    unsafe {
        pg_sys::XLogBeginInsert();
        pg_sys::XLogSetRecordFlags(pg_sys::XLOG_MARK_UNIMPORTANT as u8);
        pg_sys::XLogRegisterData(data.as_mut_ptr().cast(), data.len() as _);
        let end = pg_sys::XLogInsert(MESSAGES as u8, LOGICAL_MESSAGE);
        pg_sys::XLogFlush(end);
        end
    }
}

/// The lease, if the message is one that this library has written; an error, if a later version of it has. Any role
/// can write messages with our prefix by `pg_logical_emit_message()`, but those have the database of the session that
/// writes them.
pub fn lease_in(message: &[u8]) -> Option<Result<Record, RecordError>> {
    let (header, text) = message.split_at_checked(HEADER_LEN)?;
    let database = header.get(offset_of!(Header, database)..)?.first_chunk()?;
    let is_transactional = header[offset_of!(Header, is_transactional)] != 0;
    if u32::from_ne_bytes(*database) != pg_sys::InvalidOid.to_u32() || is_transactional {
        return None;
    }
    Some(Record::from_bytes(text.strip_prefix(PREFIX)?))
}
