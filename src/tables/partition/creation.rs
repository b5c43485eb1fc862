//! One partition: a table like the parent, attached to it.
//!
//! The caller may be a superuser (a job of `pg_cron`) and the parent another role's, whose code must not
//! run with the caller's rights: ATTACH PARTITION evaluates CHECK constraints and index expressions as far
//! as they are constant, and a later ANALYZE all of them, as the partition's owner. So:
//!
//! - The table is created with the owner's rights. A superuser, whom the owner's lack of rights to create in the
//!   schema, on the tablespace or on types is not to stop, creates it as itself and gives it to the owner at once:
//!   this copies expressions and evaluates none.
//! - All else happens as the owner, in a security-restricted operation.
//!
//! GRANTs on the parent are not copied, as by CREATE TABLE ... PARTITION OF: who goes through the parent does not
//! need them.

use super::bounds::Bounds;
use super::parent::Parent;
use super::refusal;
use super::spi::{self, Param, query};
use crate::tables::owner::{Context, acting_as};
use pgrx::pg_sys;
use std::ffi::CStr;

/// Creates the table that is to be a partition. Nothing is locked that sessions would have to wait for.
pub fn create(parent: &Parent, name: &CStr, bounds: Bounds) -> pg_sys::Oid {
    acting_as(parent.owner, Context::Restricted, || refuse_rows(parent, bounds, pg_sys::NoLock));
    create_table(parent, name)
}

/// Makes it a partition.
pub fn attach(parent: &Parent, table: pg_sys::Oid, bounds: Bounds) {
    acting_as(parent.owner, Context::Restricted, || {
        refuse_rows(parent, bounds, pg_sys::AccessExclusiveLock);
        attach_table(parent, table, bounds);
    });
}

/// Creates the table, and has it belong to the parent's owner.
fn create_table(parent: &Parent, name: &CStr) -> pg_sys::Oid {
    let params = || [Param::oid(parent.oid), Param::text(Some(name))];
    let create = || {
        execute(spi::rows(query!("create.sql"), &params()));
        let [table] = spi::rows(query!("created.sql"), &params()).pop().unwrap_or_default();
        spi::oid(table.as_deref())
    };
    // SAFETY: a plain read of the session's state.
    if !unsafe { pg_sys::superuser() } {
        return acting_as(parent.owner, Context::Ordinary, create);
    }
    let table = create();
    // SAFETY: a plain read of the session's state.
    if parent.owner == unsafe { pg_sys::GetUserId() } {
        return table;
    }
    // SAFETY: the table is this transaction's own.
    unsafe {
        pg_sys::ATExecChangeOwner(table, parent.owner, false, pg_sys::AccessExclusiveLock as i32);
    }
    // The superuser's default privileges are for the superuser's tables.
    execute(spi::rows(query!("privileges.sql"), &[Param::oid(table)]));
    table
}

fn attach_table(parent: &Parent, table: pg_sys::Oid, bounds: Bounds) {
    let tables = || [Param::oid(parent.oid), Param::oid(table)];
    let [parent, partition] = tables();
    let [first, end] = [bounds.first, bounds.end].map(|bound| Param::bigint(Some(bound)));
    let steps = spi::rows(query!("attach.sql"), &[parent, partition, first, end]);
    execute(steps);
    execute(spi::rows(query!("replica_identity.sql"), &tables()));
}

fn execute(statements: Vec<spi::Row<1>>) {
    for [statement] in statements {
        spi::execute(&statement.unwrap_or_default());
    }
}

/// Refuses bounds whose IDs are in the default partition. ATTACH PARTITION would refuse them too, but say
/// neither how many there are nor what to do.
fn refuse_rows(parent: &Parent, bounds: Bounds, lock: u32) {
    let found = spi::rows(query!("default.sql"), &[Param::oid(parent.oid)]).pop();
    let Some([default, name, count]) = found else { return };
    if lock != pg_sys::NoLock {
        // SAFETY: ATTACH PARTITION will take the same.
        unsafe { pg_sys::LockRelationOid(spi::oid(default.as_deref()), lock as i32) };
    }
    let Some(count) = count else { return };
    let params = [bounds.first, bounds.end].map(|bound| Param::bigint(Some(bound)));
    let [rows] = spi::current_rows(&count, &params).pop().unwrap_or_default();
    match spi::number(rows.as_deref()) {
        None | Some(0) => {}
        Some(rows) => {
            refusal::rows_in_default(&parent.name, &name.unwrap_or_default(), rows, bounds).raise()
        }
    }
}
