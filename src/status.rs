//! `snowflake_status()`: what this server is, where its ID clock stands, and what has happened.

use crate::lease::{self, FloorSource};
use crate::row::Row;
use crate::shared::{self, Shared};
use crate::{clock, lease_file, node, readiness, time};
use pgrx::datum::Interval;
use pgrx::prelude::*;
use snowflake_core::{Generator, Section, Space};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// `snowflake_status()`: one row. It refuses nothing, so that monitoring sees what is wrong; what is not
/// known is null.
#[pg_extern(sql = false)]
fn snowflake_status() -> Row<20> {
    let generator = node::generator().ok();
    let node = generator.map(|generator| generator.node());
    let space = node::space().ok();
    let bits = |section| space.map(|space| space.layout.bits(section).cast_signed());
    let shared = shared::get();
    let clock = IdClock::read(generator.zip(shared));
    let now = clock::wall_millis();
    let counters = shared.map(|shared| &shared.counters);
    Row([
        node.map(|node| node.datacenter.cast_signed()).into_datum(),
        node.map(|node| node.machine.cast_signed()).into_datum(),
        bits(Section::Datacenter).into_datum(),
        bits(Section::Machine).into_datum(),
        bits(Section::Sequence).into_datum(),
        timestamptz(space.map(|space| space.epoch.unix_millis())),
        space.map(exhausted_at).into_datum(),
        timestamptz(clock.last),
        timestamptz(Some(now)),
        clock.next.map(|next| interval((next - now).max(0) * 1_000)).into_datum(),
        timestamptz(clock.lease_end),
        timestamptz(clock.floor),
        shared.and_then(FloorSource::of).map(FloorSource::name).into_datum(),
        count(counters.map(|all| &all.renewals)).into_datum(),
        count(counters.map(|all| &all.renewals_by_sessions)).into_datum(),
        count(counters.map(|all| &all.waits)).into_datum(),
        count(counters.map(|all| &all.wait_micros)).map(interval).into_datum(),
        count(counters.map(|all| &all.steps_back)).into_datum(),
        count(counters.map(|all| &all.largest_step_back_micros)).map(interval).into_datum(),
        error().into_datum(),
    ])
}

/// What keeps this server from issuing IDs now, or will do so as soon as the lease is used up.
fn error() -> Option<String> {
    let refusal = match readiness::check() {
        Ok((_, shared)) => shared.lease_failure()?.into(),
        Err(refusal) => refusal,
    };
    Some(refusal.message())
}

/// The time of the next ID where the ID clock is ahead of the wall clock, in milliseconds since 1970, if it is known.
pub fn next_millis() -> Option<i64> {
    IdClock::read(node::generator().ok().zip(shared::get())).next
}

/// Where the ID clock stands, in milliseconds since 1970.
#[derive(Default)]
struct IdClock {
    /// Of the last ID of this server life.
    last: Option<i64>,
    /// Of the next one, if the wall clock is behind it; unknown on a standby.
    next: Option<i64>,
    lease_end: Option<i64>,
    /// Where this server life started.
    floor: Option<i64>,
}

impl IdClock {
    fn read(issuing: Option<(Generator, &Shared)>) -> Self {
        let Some((generator, shared)) = issuing.filter(|(_, shared)| shared.lease.end() != 0)
        else {
            return Self {
                next: issuing.and_then(first),
                lease_end: recorded(),
                ..Self::default()
            };
        };
        let millis = |tick| generator.unix_millis(tick);
        let next = shared.ticker.peek();
        let floor = shared.counters.floor.load(Relaxed);
        Self {
            last: Some(millis(next.saturating_sub(1))),
            next: Some(millis(next)),
            lease_end: Some(millis(shared.lease.end())),
            floor: Some(floor).filter(|&floor| floor != 0).map(millis),
        }
    }
}

/// Where this server life will start, if it does not have to be promoted for it.
fn first((generator, shared): (Generator, &Shared)) -> Option<i64> {
    // SAFETY: any process attached to shared memory may ask.
    let is_standby = unsafe { pg_sys::RecoveryInProgress() };
    let mark = lease::mark(&generator, shared).ok().filter(|_| !is_standby)?;
    Some(generator.unix_millis(mark))
}

/// The end of the lease on disk, in the space that it is recorded with.
fn recorded() -> Option<i64> {
    let record = lease_file::read().ok()??;
    let generator = Generator::new(record.space, record.node).ok()?;
    Some(generator.unix_millis(record.end))
}

/// The moment from which on there are no IDs; 'infinity' where `timestamptz` ends before.
fn exhausted_at(space: Space) -> i64 {
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
