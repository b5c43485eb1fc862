//! The lease in WAL, so that whoever replays rows knows that their IDs lie below it.
//!
//! Each extension of the lease is a logical message, which PostgreSQL ignores on replay: a server without
//! this library replays it as well. It belongs to no database, so no logical decoding reports it. The
//! library looks at these messages as they are replayed, in the process that replays them, so it has
//! seen those of all rows that are visible when a promotion ends recovery. Replay of a checkpoint may be
//! where the next one starts from, so what was seen by then is kept in the server's own lease first.

use crate::{lease, node, shared};
use pgrx::pg_sys;
use pgrx::pg_sys::elog::PgLogLevel;
use snowflake_core::{Generator, Record};
use std::mem::offset_of;
use std::sync::OnceLock;

type Redo = unsafe extern "C-unwind" fn(*mut pg_sys::XLogReaderState);

/// Marks the messages of this library.
const PREFIX: &[u8] = b"pg_snowflake\0";

const MESSAGES: u32 = pg_sys::RmgrIds::RM_LOGICALMSG_ID;
const CHECKPOINTS: u32 = pg_sys::RmgrIds::RM_XLOG_ID;

/// The kinds of records that checkpoints are (`XLOG_CHECKPOINT_SHUTDOWN` and `_ONLINE` in PostgreSQL's
/// `catalog/pg_control.h`), in the bits of `xl_info` that say so.
const CHECKPOINT_KINDS: [u8; 2] = [0x00, 0x10];
const KIND_BITS: u8 = 0xF0;

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

/// What PostgreSQL does with a logical message on replay, and with a checkpoint.
static REDO_MESSAGE: OnceLock<Redo> = OnceLock::new();
static REDO_CHECKPOINT: OnceLock<Redo> = OnceLock::new();

/// Writes that IDs up to the record's end may be issued, and flushes it. What is written to WAL after
/// this call is replayed after it.
pub fn write(record: &Record) {
    let mut data = [0; HEADER_LEN + PREFIX.len() + Record::LEN];
    data[offset_of!(Header, prefix_len)..][..8].copy_from_slice(&PREFIX.len().to_ne_bytes());
    data[offset_of!(Header, message_len)..][..8].copy_from_slice(&Record::LEN.to_ne_bytes());
    data[HEADER_LEN..][..PREFIX.len()].copy_from_slice(PREFIX);
    data[HEADER_LEN + PREFIX.len()..].copy_from_slice(&record.to_bytes());
    // Flushed, because an ID may be returned that no COMMIT will ever flush: what a standby has received
    // must not lag behind what clients were given.
    // SAFETY: the server is not in recovery; the data lives until it is inserted. A lease alone is
    // no reason for a checkpoint.
    unsafe {
        pg_sys::XLogBeginInsert();
        pg_sys::XLogSetRecordFlags(pg_sys::XLOG_MARK_UNIMPORTANT as u8);
        pg_sys::XLogRegisterData(data.as_mut_ptr().cast(), data.len() as _);
        pg_sys::XLogFlush(pg_sys::XLogInsert(MESSAGES as u8, LOGICAL_MESSAGE));
    }
}

/// Has replay tell this library of its messages and of checkpoints. Called by the postmaster, whose
/// processes inherit it.
pub fn watch_replay() {
    watch(MESSAGES, &REDO_MESSAGE, replay_message);
    watch(CHECKPOINTS, &REDO_CHECKPOINT, replay_checkpoint);
}

fn watch(manager: u32, original: &OnceLock<Redo>, ours: Redo) {
    // SAFETY: the table has an entry for each built-in resource manager, and nobody reads it while
    // libraries are preloaded.
    unsafe {
        let table = (&raw mut pg_sys::RmgrTable).cast::<pg_sys::RmgrData>();
        let manager = &mut *table.add(manager as usize);
        if let Some(redo) = manager.rm_redo
            && original.set(redo).is_ok()
        {
            manager.rm_redo = Some(ours);
        }
    }
}

/// Called by the process that replays WAL, for each logical message; raises nothing.
unsafe extern "C-unwind" fn replay_message(reader: *mut pg_sys::XLogReaderState) {
    // SAFETY: PostgreSQL passes a record that it has checked; it and its data live during the call.
    let record = unsafe {
        let record = &*(*reader).record;
        std::slice::from_raw_parts(record.main_data.cast::<u8>(), record.main_data_len as usize)
    };
    if let (Some(lease), Some(shared)) = (lease_in(record), shared::get()) {
        shared.note_replayed(end_of(&lease));
    }
    if let Some(redo) = REDO_MESSAGE.get() {
        // SAFETY: what PostgreSQL would have called.
        unsafe { redo(reader) };
    }
}

/// Called by the same process, for each checkpoint and other record of the kind; raises nothing.
unsafe extern "C-unwind" fn replay_checkpoint(reader: *mut pg_sys::XLogReaderState) {
    // SAFETY: as above.
    let kind = unsafe { (*(*reader).record).header.xl_info } & KIND_BITS;
    if CHECKPOINT_KINDS.contains(&kind)
        && let Some((shared, replayed)) = shared::get().and_then(|it| Some((it, it.replayed()?)))
        // A server whose settings keep it from issuing has no lease.
        && let Ok(generator) = node::generator()
        && let Err(refusal) = lease::follow(&generator, shared, replayed)
    {
        refusal.report_as(PgLogLevel::WARNING);
    }
    if let Some(redo) = REDO_CHECKPOINT.get() {
        // SAFETY: what PostgreSQL would have called.
        unsafe { redo(reader) };
    }
}

/// The lease, if the message is one that this library has written. Any role can write messages with our
/// prefix by `pg_logical_emit_message()`, but those have the database of the session that writes them.
fn lease_in(message: &[u8]) -> Option<Record> {
    let (header, text) = message.split_at_checked(HEADER_LEN)?;
    let database = header.get(offset_of!(Header, database)..)?.first_chunk()?;
    let is_transactional = header[offset_of!(Header, is_transactional)] != 0;
    if u32::from_ne_bytes(*database) != pg_sys::InvalidOid.to_u32() || is_transactional {
        return None;
    }
    Record::from_bytes(text.strip_prefix(PREFIX)?).ok()
}

/// The first moment that no ID of the lease is of, in milliseconds since 1970.
fn end_of(Record { space, node, end }: &Record) -> i64 {
    let generator = Generator::new(*space, *node);
    generator.map_or(0, |generator| generator.unix_millis(generator.whole_millis(*end)))
}
