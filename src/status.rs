//! `snowflake_status()`: what this server is, where its ID clock stands, and what has happened.

use crate::host::Postgres;
use crate::row::Row;
use crate::server::{self, Server};
use crate::{clock, error, machine, node, shared, time};
use pgrx::datum::Interval;
use pgrx::prelude::*;
use snowflake_core::{FloorSource, Generator, Host, Obstacle, Section, Space, State, read_lease};

/// `snowflake_status()`: one row. It refuses nothing, so that monitoring sees what is wrong; what is not
/// known is null.
#[pg_extern(sql = false)]
fn snowflake_status() -> Row<28> {
    let generator = node::generator().ok();
    let node = generator.map(|generator| generator.node());
    let space = node::space().ok();
    let bits = |section| space.map(|space| space.layout.bits(section).cast_signed());
    let state = shared::get().map(|shared| &shared.state);
    let clock = IdClock::read(generator.and_then(server::of));
    let now = clock::wall_millis();
    let counts = state.map(State::counts);
    Row([
        node.map(|node| node.datacenter.cast_signed()).into_datum(),
        node.map(|node| node.machine.cast_signed()).into_datum(),
        node.map(|_| machine::source()).into_datum(),
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
        state.and_then(State::start).map(|(_, source)| name(source)).into_datum(),
        counts.map(|all| count(all.renewals)).into_datum(),
        counts.map(|all| count(all.renewals_by_sessions)).into_datum(),
        counts.map(|all| interval(all.write_micros)).into_datum(),
        counts.map(|all| count(all.slow_writes)).into_datum(),
        counts.map(|all| count(all.waits)).into_datum(),
        counts.map(|all| interval(count(all.wait_micros))).into_datum(),
        counts.map(|all| count(all.steps_back)).into_datum(),
        counts.map(|all| interval(count(all.largest_step_back_micros))).into_datum(),
        counts.map(|all| count(all.steps_forward)).into_datum(),
        counts.map(|all| interval(count(all.largest_step_forward_micros))).into_datum(),
        counts.map(|all| count(all.witnessed)).into_datum(),
        counts.map(|all| count(all.raises)).into_datum(),
        counts.map(|all| count(all.too_far_ahead)).into_datum(),
        error().into_datum(),
    ])
}

/// What keeps this server from issuing IDs now, or will do so as soon as the lease is used up.
fn error() -> Option<String> {
    let refusal = match server::check() {
        Ok(server) => match server.state.lease_failure() {
            Some(failure) => Obstacle::from(failure).into(),
            None => return server.delay().map(|(delay, millis)| error::delay_text(delay, millis)),
        },
        Err(refusal) => refusal,
    };
    Some(refusal.message())
}

/// The time of the next ID where the ID clock is ahead of the wall clock, in milliseconds since 1970, if it is known.
pub fn next_millis() -> Option<i64> {
    IdClock::read(node::generator().ok().and_then(server::of)).next
}

/// Where the ID clock stands, in milliseconds since 1970.
#[derive(Default)]
struct IdClock {
    /// Of the last ID of this server life, issued or shown.
    last: Option<i64>,
    /// Of the next one, if the wall clock is behind it; unknown on a standby.
    next: Option<i64>,
    lease_end: Option<i64>,
    /// Where this server life started.
    floor: Option<i64>,
}

impl IdClock {
    fn read(server: Option<Server>) -> Self {
        let Some(server) = server.as_ref().filter(|server| server.state.lease_end() != 0) else {
            return Self {
                next: server.as_ref().and_then(first),
                lease_end: recorded(),
                ..Self::default()
            };
        };
        let millis = |tick| server.generator.unix_millis(tick);
        let next = server.state.next();
        let floor = server.state.start().map(|(floor, _)| floor);
        Self {
            last: (next != 0).then(|| millis(next - 1)),
            next: Some(millis(next)),
            lease_end: Some(millis(server.state.lease_end())),
            floor: floor.filter(|&floor| floor != 0).map(millis),
        }
    }
}

/// Where this server life will start, if it does not have to be promoted for it.
fn first(server: &Server) -> Option<i64> {
    let mark = server.mark().ok().filter(|_| !server.host.is_in_recovery())?;
    Some(server.generator.unix_millis(mark))
}

/// The end of the lease on disk, in the space that it is recorded with, if an ID was asked for yet.
fn recorded() -> Option<i64> {
    let record = read_lease(&Postgres).ok()??;
    if record.end == 0 {
        return None;
    }
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

fn count(counter: u64) -> i64 {
    counter.cast_signed()
}

/// What set the first tick of this server life.
fn name(source: FloorSource) -> &'static str {
    match source {
        FloorSource::Clock => "clock",
        FloorSource::Lease => "lease",
        FloorSource::Replay => "replay",
        FloorSource::Checkpoint => "checkpoint",
        FloorSource::Unknown => "unknown",
    }
}
