//! `snowflake_create_partition()` and `snowflake_create_partitions()`: partitions of a table that is
//! partitioned by range of its ID.
//!
//! Who reads or writes the table is not waited for, and does not wait: a partition is created as a table
//! of its own and then attached, for which SHARE UPDATE EXCLUSIVE on the parent is enough. That is locked
//! first, so that of two calls the second sees what the first has made.

mod bounds;
mod creation;
mod name;
mod notice;
mod parent;
mod refusal;
mod schedule;

use self::bounds::Bounds;
use self::parent::Parent;
use self::schedule::{Every, Schedule};
use super::{given, prevent_if_read_only, spi};
use crate::error::Refusal;
use crate::node;
use pgrx::datum::Interval;
use pgrx::prelude::*;
use std::ffi::CString;

/// `snowflake_create_partition(regclass, timestamptz, timestamptz, text) -> regclass`: the partition for the
/// IDs of a time from, inclusive, to, exclusive. Times are in microseconds since 2000.
#[pg_extern(sql = false)]
fn snowflake_create_partition(
    parent: Option<pg_sys::Oid>,
    from_time: Option<i64>,
    to_time: Option<i64>,
    name: Option<&[u8]>,
) -> pg_sys::Oid {
    prevent_if_read_only(c"snowflake_create_partition()");
    let parent = given("parent", parent);
    let (from, to) = (given("from_time", from_time), given("to_time", to_time));
    let name = name.map(|name| name::given(name).unwrap_or_else(|report| report.raise()));
    let bounds = or_raise(node::space().and_then(|space| Bounds::of_times(space, from, to)));
    Spi::connect_mut(|_| create_one(&Parent::locked(parent), bounds, name))
}

fn create_one(parent: &Parent, bounds: Bounds, name: Option<CString>) -> pg_sys::Oid {
    let partitions = parent.partitions();
    if let Some(there) = partitions.iter().find(|it| it.bounds == bounds) {
        notice::exists(parent, there);
        return there.oid;
    }
    let name = name.unwrap_or_else(|| name::of(parent, bounds.first, None));
    let table = creation::create(parent, &name, bounds);
    creation::attach(parent, table, bounds);
    notice::gaps(parent, &partitions, &name, bounds);
    table
}

/// `snowflake_create_partitions(regclass, interval, int, text) -> setof regclass`: creates what is missing for now
/// and for a number of units of time after the present one.
#[pg_extern(sql = false)]
fn snowflake_create_partitions(
    parent: Option<pg_sys::Oid>,
    every: Option<Interval>,
    ahead: Option<i32>,
    time_zone: Option<&[u8]>,
) -> SetOfIterator<'static, pg_sys::Oid> {
    prevent_if_read_only(c"snowflake_create_partitions()");
    let parent = given("parent", parent);
    let every = Every::new(&given("every", every)).unwrap_or_else(|report| report.raise());
    let ahead = schedule::ahead(given("ahead", ahead)).unwrap_or_else(|report| report.raise());
    let zone =
        schedule::zone(given("time_zone", time_zone)).unwrap_or_else(|report| report.raise());
    let schedule = Schedule { every, ahead, zone: &zone };
    SetOfIterator::new(Spi::connect_mut(|_| create_all(&Parent::locked(parent), &schedule)))
}

fn create_all(parent: &Parent, schedule: &Schedule) -> Vec<pg_sys::Oid> {
    let missing = or_raise(node::space().and_then(|space| schedule.missing(space, parent)));
    let create = |bounds: &Bounds| {
        let name = name::of(parent, bounds.first, Some(schedule.zone));
        creation::create(parent, &name, *bounds)
    };
    // All of them before the first is attached, which locks a default partition: a name may have to wait for a
    // transaction that has taken it.
    let tables: Vec<_> = missing.iter().map(create).collect();
    for (table, bounds) in tables.iter().zip(missing) {
        creation::attach(parent, *table, bounds);
    }
    tables
}

fn or_raise<T>(result: Result<T, Refusal>) -> T {
    result.unwrap_or_else(|refusal| refusal.raise())
}
