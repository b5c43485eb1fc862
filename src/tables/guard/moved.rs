//! An UPDATE that moves a row to another partition is an INSERT there. PostgreSQL fires BEFORE UPDATE where the row
//! is, then BEFORE INSERT where it goes, one row after the other: the second is told from a new row by the first.
//! (AFTER triggers see the INSERT alone.)

use super::super::trigger::Row;
use pgrx::direct_function_call;
use pgrx::prelude::*;
use std::cell::Cell;

/// An UPDATE that has left the ID of a partition's row as it is.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Update {
    partition: pg_sys::Oid,
    id: i64,
    transaction: pg_sys::TimestampTz,
}

thread_local! {
    static LAST: Cell<Option<Update>> = const { Cell::new(None) };
}

/// The row's ID stays as it is; the row may move.
pub fn remember(row: &Row, id: i64) {
    if row.is_before && row.is_of_partition() {
        LAST.set(Some(Update::now(row, id)));
    }
}

/// Whether the new row of a partition is the one that was just updated in another one of the same table.
pub fn is_moved(row: &Row, id: i64) -> bool {
    let Some(from) = LAST.get().filter(|_| row.is_before && row.is_of_partition()) else {
        return false;
    };
    let to = Update::now(row, id);
    from.partition != to.partition
        && Update { partition: to.partition, ..from } == to
        && root(from.partition) == root(to.partition)
}

impl Update {
    fn now(row: &Row, id: i64) -> Self {
        // SAFETY: a trigger runs in a transaction.
        let transaction = unsafe { pg_sys::GetCurrentTransactionStartTimestamp() };
        Self { partition: row.relation(), id, transaction }
    }
}

fn root(partition: pg_sys::Oid) -> Option<pg_sys::Oid> {
    // SAFETY: a function that takes a relation's OID, which may be any number.
    unsafe { direct_function_call(pg_sys::pg_partition_root, &[partition.into_datum()]) }
}
