//! A wall clock that is set forward, and a disk that is slow: what the ID clock makes of them.
#![cfg(not(loom))]
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::host::{NOW, OneProcess};
use snowflake_core::{Event, Generator, Keeper, Node, Record, Server, Space, State, create_lease};
use std::time::Duration;

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const YEAR: i64 = 365 * 24 * HOUR;

struct World {
    host: OneProcess,
    state: State,
}

impl World {
    fn new() -> Self {
        let host = OneProcess::default();
        create_lease(&State::default(), &host, Space::default()).unwrap();
        let state = State::at_start(&host, 0);
        Self { host, state }
    }

    fn restarted(self) -> Self {
        let state = State::at_start(&self.host, 0);
        Self { state, ..self }
    }

    fn server(&self) -> Server<'_, OneProcess> {
        let generator = Generator::new(Space::default(), Node::default()).unwrap();
        Server { generator, state: &self.state, host: &self.host }
    }

    /// The time of the next ID, in milliseconds since [`NOW`].
    fn next(&self) -> i64 {
        let id = self.server().next().unwrap();
        Space::default().decode(id).unwrap().unix_millis - NOW
    }

    fn next_after(&self, millis: i64) -> i64 {
        self.host.pass(Duration::from_millis(millis as u64));
        self.next()
    }

    fn forward(&self) -> Vec<Event> {
        let events = self.host.events.borrow();
        let is_forward =
            |event: &&Event| matches!(event, Event::StepForward(_) | Event::Followed(_));
        events.iter().filter(is_forward).cloned().collect()
    }
}

#[test]
fn a_clock_that_is_years_ahead_for_a_moment_leaves_no_trace() {
    let world = World::new();
    assert_eq!(world.next(), 0);
    world.host.set(10 * YEAR);
    assert_eq!(world.next_after(1_500), 1_500);
    let server = world.server();
    let last = |ids: Vec<i64>| Space::default().decode(ids[ids.len() - 1]).unwrap().unix_millis;
    assert_eq!(last(server.batch(10).unwrap().collect()), NOW + 1_500);
    assert_eq!(last(vec![server.reserve(10).unwrap()]), NOW + 1_500);
    world.host.set(0);
    assert_eq!(world.next_after(1_500), 3_000);
    assert_eq!(world.forward(), [Event::StepForward(10 * YEAR)]);
    assert_eq!(world.state.counts().steps_forward, 1);
}

#[test]
fn an_idle_server_notices_the_step_with_its_next_id() {
    let world = World::new();
    world.next();
    world.host.pass(Duration::from_secs(7_200));
    world.host.set(HOUR);
    assert_eq!(world.next(), 2 * HOUR);
}

#[test]
fn a_step_that_lasts_is_followed() {
    let world = World::new();
    world.next();
    world.host.set(HOUR);
    for second in 2..62 {
        assert_eq!(world.next_after(SECOND), (second - 1) * SECOND);
    }
    // The step was first seen when the first lease was over.
    assert_eq!(world.next_after(2 * SECOND), 62 * SECOND + HOUR);
    assert_eq!(world.forward(), [Event::StepForward(HOUR), Event::Followed(HOUR)]);
}

#[test]
fn another_step_begins_another_minute() {
    let world = World::new();
    world.next();
    world.host.set(HOUR);
    assert_eq!(world.next_after(40 * SECOND), 40 * SECOND);
    world.host.set(2 * HOUR);
    assert_eq!(world.next_after(40 * SECOND), 80 * SECOND);
    assert_eq!(world.next_after(61 * SECOND), 141 * SECOND + 2 * HOUR);
}

#[test]
fn load_cannot_use_the_time_that_is_not_believed() {
    let world = World::new();
    world.next();
    world.host.set(HOUR);
    world.host.pass(Duration::from_secs(2));
    let server = world.server();
    // Half a minute of IDs.
    for _ in 0..30_000 {
        server.batch(4_096).unwrap().for_each(drop);
    }
    let ahead = world.next() - world.host.time.get() / 1_000;
    assert!(ahead <= 5_010, "{ahead} ms");
}

#[test]
fn a_clock_that_comes_up_from_the_past_is_believed_at_once() {
    // A machine without the time of day: 1970, and a year ago, after IDs that were issued today.
    for past in [-NOW, -YEAR] {
        let world = World::new();
        world.next();
        world.host.set(past);
        let world = world.restarted();
        let first = world.next_after(10);
        assert!((0..=2 * SECOND).contains(&first), "{first}");
        world.host.set(0);
        assert_eq!(world.next_after(10 * SECOND), 10 * SECOND + 10);
        assert_eq!(world.forward(), []);
    }
}

#[test]
fn a_clock_before_the_epoch_is_believed_once_it_is_not() {
    let world = World::new();
    world.host.set(-NOW);
    let world = world.restarted();
    assert!(world.server().next().is_err());
    world.host.set(0);
    assert_eq!(world.next_after(10), 10);
}

#[test]
fn small_steps_are_followed_at_once() {
    let world = World::new();
    world.next();
    world.host.set(900);
    assert_eq!(world.next_after(3 * SECOND), 3_900);
    assert_eq!(world.forward(), []);
}

#[test]
fn the_length_of_the_lease_follows_the_disk() {
    let world = World::new();
    world.host.write_micros.set(3_000_000);
    world.next();
    // The keeper looks eight times a second, and a session asks as often; from the second write on, none of them
    // comes to the end of the lease.
    let mut keeper = Keeper::default();
    let mut waited = 0;
    let begin = world.host.time.get();
    let (mut asks, mut writes) = (0, world.host.writes.get());
    while world.host.time.get() < begin + 120_000_000 {
        keeper.look(&world.server());
        let before = world.host.time.get();
        world.next();
        waited += i64::from(world.host.time.get() > before);
        asks += 1;
        world.host.pass(Duration::from_millis(125));
    }
    writes = world.host.writes.get() - writes;
    assert!(waited <= 1, "{waited} of {asks} waited");
    assert!(writes <= 20, "{writes} writes in two minutes");
    let end = world.state.lease_end();
    let left = world.server().generator.unix_millis(end) - NOW - world.host.time.get() / 1_000;
    assert!(left <= 20 * SECOND, "{left} ms");
    let slow = |event: &&Event| matches!(event, Event::SlowWrite(_));
    // Two minutes, so at most three lines.
    let lines = world.host.events.borrow().iter().filter(slow).count();
    assert!((1..=3).contains(&lines), "{lines} lines");
}

#[test]
fn a_lone_id_costs_one_write() {
    let world = World::new();
    let mut keeper = Keeper::default();
    for _ in 0..10 {
        world.host.pass(Duration::from_secs(3));
        let before = world.state.counts().renewals;
        world.next();
        while let Some(nap) = keeper.look(&world.server()) {
            world.host.pass(nap);
        }
        assert_eq!(world.state.counts().renewals, before + 1);
    }
}

#[test]
fn a_server_without_a_file_starts_after_all_that_load_can_have_issued() {
    let world = World::new();
    *world.host.file.borrow_mut() = None;
    assert_eq!(world.next(), 5_000);
    assert_eq!(*world.host.events.borrow(), [Event::NoLease]);
}

/// The clock was set back, or the file would be of no account.
#[test]
fn without_a_file_the_later_of_load_and_last_checkpoint_counts() {
    let start = |seconds: i64, has_file: bool| {
        let world = World::new();
        let state = State::at_start(&world.host, NOW / SECOND + seconds);
        if !has_file {
            *world.host.file.borrow_mut() = None;
        }
        World { state, ..world }.next()
    };
    assert_eq!([start(-1, true), start(-1, false)], [0, 5_000]);
    assert_eq!([start(2, true), start(2, false)], [3_000, 5_000]);
    assert_eq!([start(60, true), start(60, false)], [61_000, 61_000]);
}

#[test]
fn a_lease_of_another_cluster_is_told() {
    let world = World::new();
    world.next();
    let mut file = world.host.file();
    // The file has one record or two, of this server's making.
    for slot in [0, file.len() / 2] {
        let bytes = &mut file[slot..slot + Record::LEN];
        if let Ok(record) = Record::from_bytes(bytes) {
            bytes.copy_from_slice(&Record { system: 8, ..record }.to_bytes());
        }
    }
    *world.host.file.borrow_mut() = Some(file);
    let world = world.restarted();
    world.next();
    let told = Event::OtherSystem { recorded: 8, now: 7 };
    assert!(world.host.events.borrow().contains(&told));
}
