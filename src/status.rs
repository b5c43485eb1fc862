//! `snowflake_status`: what this server is, where its ID clock stands, and what has happened.

use crate::error::Refusal;
use crate::lease::{self, FloorSource};
use crate::row::Row;
use crate::shared::{self, Shared};
use crate::{clock, lease_file, node, time};
use pgrx::datum::Interval;
use pgrx::prelude::*;
use snowflake_core::{Generator, Section, Space};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// `snowflake_status()`: the row of the view. It refuses nothing, so that monitoring sees what is wrong;
/// what is not known is null.
#[pg_extern(sql = false)]
fn snowflake_status() -> Row<20> {
    let generator = node::generator().ok();
    let node = generator.map(|generator| generator.node());
    let space = node::space().ok();
    let bits = |section| space.map(|space| space.layout.bits(section).cast_signed());
    let shared = shared::get();
    let clock = generator.zip(shared).map(|(generator, shared)| IdClock::read(&generator, shared));
    let clock = clock.unwrap_or_default();
    let now = clock::wall_millis();
    let counters = shared.map(|shared| &shared.counters);
    Row([
        node.map(|node| node.datacenter.cast_signed()).into_datum(),
        node.map(|node| node.machine.cast_signed()).into_datum(),
        bits(Section::Datacenter).into_datum(),
        bits(Section::Machine).into_datum(),
        bits(Section::Sequence).into_datum(),
        timestamptz(space.map(|space| space.epoch.unix_millis())),
        space.map(exhausted_on).into_datum(),
        timestamptz(clock.last),
        timestamptz(Some(now)),
        clock.next.map(|next| interval((next - now).max(0) * 1_000)).into_datum(),
        timestamptz(clock.lease_end),
        timestamptz(clock.floor),
        shared.and_then(FloorSource::of).map(FloorSource::name).into_datum(),
        count(counters.map(|all| &all.renewals)).into_datum(),
        count(counters.map(|all| &all.renewals_by_callers)).into_datum(),
        count(counters.map(|all| &all.waits)).into_datum(),
        count(counters.map(|all| &all.wait_micros)).map(interval).into_datum(),
        count(counters.map(|all| &all.steps_back)).into_datum(),
        count(counters.map(|all| &all.largest_step_back_micros)).map(interval).into_datum(),
        refusal().err().map(|refusal| refusal.message()).into_datum(),
    ])
}

/// What keeps this server from issuing IDs now.
fn refusal() -> Result<(), Refusal> {
    shared::get().ok_or(Refusal::NotPreloaded)?;
    node::check()?;
    // SAFETY: any process attached to shared memory may ask.
    if unsafe { pg_sys::RecoveryInProgress() } { Err(Refusal::Standby) } else { Ok(()) }
}

/// Where the ID clock stands, in milliseconds since 1970.
#[derive(Default)]
struct IdClock {
    /// Of the last ID of this server life.
    last: Option<i64>,
    /// Of the next one, if the wall clock is behind it.
    next: Option<i64>,
    lease_end: Option<i64>,
    /// Where this server life started.
    floor: Option<i64>,
}

impl IdClock {
    fn read(generator: &Generator, shared: &Shared) -> Self {
        let millis = |tick| generator.unix_millis(tick);
        let next = lease::mark(generator, shared).ok();
        let recorded = lease_file::read().ok().flatten().map(|record| record.end);
        let end = Some(shared.lease.end()).filter(|&end| end != 0);
        // Without a tick of its own, this life has not started.
        let floor = end.map(|_| shared.counters.floor.load(Relaxed)).filter(|&floor| floor != 0);
        Self {
            last: end.and(next).map(|next| millis(next.saturating_sub(1))),
            next: next.map(millis),
            lease_end: end.or(recorded).map(millis),
            floor: floor.map(millis),
        }
    }
}

/// The moment from which on there are no IDs; 'infinity' where `timestamptz` ends before.
fn exhausted_on(space: Space) -> i64 {
    time::from_unix_millis(space.last_unix_millis().saturating_add(1)).unwrap_or(i64::MAX)
}

fn timestamptz(unix_millis: Option<i64>) -> Option<pg_sys::Datum> {
    unix_millis.and_then(time::from_unix_millis).into_datum()
}

fn interval(micros: i64) -> Interval {
    Interval::from_micros(micros)
}

fn count(counter: Option<&AtomicU64>) -> Option<i64> {
    counter.map(|counter| counter.load(Relaxed).cast_signed())
}

extension_sql_file!("../sql/status.sql", name = "status");
