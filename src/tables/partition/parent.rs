//! The table that gets partitions.

use super::bounds::Bounds;
use super::refusal;
use super::spi::{self, Param, query};
use crate::tables::no_relation;
use pgrx::pg_sys;
use std::ffi::{CStr, CString};

/// A table that is partitioned by range of one bigint, and that the caller may change.
pub struct Parent {
    pub oid: pg_sys::Oid,
    pub name: CString,
    pub owner: pg_sys::Oid,
    /// The name of its default partition.
    pub default: Option<CString>,
}

/// A partition that is no default partition.
pub struct Partition {
    pub oid: pg_sys::Oid,
    pub name: CString,
    pub bounds: Bounds,
}

impl Parent {
    /// That table, which no other session gives a partition or alters until this transaction ends.
    pub fn locked(oid: pg_sys::Oid) -> Self {
        // Who has no right to it must not make others wait either.
        Self::find(oid);
        // SAFETY: any number is fine.
        unsafe { pg_sys::LockRelationOid(oid, pg_sys::ShareUpdateExclusiveLock as i32) };
        Self::find(oid)
    }

    fn find(oid: pg_sys::Oid) -> Self {
        let found = spi::rows(query!("parent.sql"), &[Param::oid(oid)]).pop();
        let [name, owner, is_owner, strategy, columns, kind, default] =
            found.unwrap_or_else(|| no_relation(oid).raise());
        let name = name.unwrap_or_default();
        if is_owner.as_deref() != Some(c"true") {
            refusal::not_owner(&name).raise();
        }
        let strategy = strategy.unwrap_or_else(|| refusal::not_partitioned(&name).raise());
        if strategy.as_c_str() != c"r"
            || columns.as_deref() != Some(c"1")
            || !is_bigint(kind.as_deref())
        {
            refusal::not_by_range(&name).raise();
        }
        Self { oid, name, owner: spi::oid(owner.as_deref()), default }
    }

    /// Its partitions, in the order of their bounds, which do not overlap.
    pub fn partitions(&self) -> Vec<Partition> {
        let rows = spi::rows(query!("partitions.sql"), &[Param::oid(self.oid)]);
        let partition = |[oid, name, first, end]: spi::Row<4>| Partition {
            oid: spi::oid(oid.as_deref()),
            name: name.unwrap_or_default(),
            // What is no number is MINVALUE or MAXVALUE.
            bounds: Bounds {
                first: spi::number(first.as_deref()).unwrap_or(Bounds::MIN),
                end: spi::number(end.as_deref()).unwrap_or(Bounds::MAX),
            },
        };
        let mut partitions: Vec<_> = rows.into_iter().map(partition).collect();
        partitions.sort_by_key(|partition| partition.bounds.first);
        partitions
    }
}

/// Whether that is the OID of bigint, or of a domain over it.
fn is_bigint(kind: Option<&CStr>) -> bool {
    // SAFETY: the type of a column exists.
    let base = |kind: u32| unsafe { pg_sys::getBaseType(kind.into()) };
    spi::number(kind).map(base) == Some(pg_sys::INT8OID)
}
