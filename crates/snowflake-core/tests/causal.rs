//! IDs that are greater than those that were shown, and how far these may move the ID clock.
#![cfg(not(loom))]
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::host::{NOW, OneProcess};
use common::{parts, spaces};
use proptest::prelude::*;
use snowflake_core::{Event, Generator, Node, Obstacle, Server, Space, State, Step, create_lease};
use std::time::Duration;

const MAX_DRIFT: i64 = 5_000;
const HOUR: i64 = 3_600_000;

fn generator(machine: u32) -> Generator {
    Generator::new(Space::default(), Node { datacenter: 0, machine }).unwrap()
}

/// A generator, and an ID of its space, of any node.
fn generators_and_ids() -> impl Strategy<Value = (Generator, i64)> {
    let generator_and_parts =
        |space: Space| (Just(space), parts(space.layout), parts(space.layout));
    spaces().prop_flat_map(generator_and_parts).prop_map(|(space, own, shown)| {
        let node = Node { datacenter: own.datacenter, machine: own.machine };
        (Generator::new(space, node).unwrap(), space.layout.encode(shown).unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn the_first_tick_beyond_an_id_is_the_first((generator, id) in generators_and_ids()) {
        let first = generator.first_tick_beyond(id);
        if generator.check(first).is_ok() {
            prop_assert!(generator.id(first) > id);
        }
        if let Some(before) = first.checked_sub(1) {
            prop_assert!(generator.id(before) <= id);
        }
    }

    #[test]
    fn an_id_is_greater_than_the_one_that_was_shown(
        (machine, ahead, sequence) in (0..32_u32, -2 * MAX_DRIFT..MAX_DRIFT, 0..4096_u64)
    ) {
        let (world, other) = (World::new(), generator(machine));
        let shown = other.id(other.tick_at(NOW + ahead) + sequence);
        let own = world.next();
        prop_assert!(world.server().next_after(shown).unwrap() > shown.max(own));
        let (world, own) = (World::new(), 0);
        world.server().witness(shown).unwrap();
        prop_assert!(world.next() > shown.max(own));
    }
}

/// A server, its surroundings, and what it has said. Its clocks move when it sleeps.
struct World {
    state: State,
    host: OneProcess,
}

impl World {
    fn new() -> Self {
        let host = OneProcess::default();
        create_lease(&State::default(), &host, Space::default()).unwrap();
        Self { state: State::at_start(&host, 0), host }
    }

    /// Whatever is not on disk is gone.
    fn crash(self) -> Self {
        Self { state: State::at_start(&self.host, 0), host: self.host }
    }

    fn server(&self) -> Server<'_, OneProcess> {
        Server { generator: generator(7), state: &self.state, host: &self.host }
    }

    fn next(&self) -> i64 {
        self.server().next().unwrap()
    }

    /// The first ID of a moment, in milliseconds from the start on.
    fn at(&self, millis: i64) -> i64 {
        let generator = self.server().generator;
        generator.id(generator.tick_at(NOW + millis))
    }

    /// Milliseconds from the start on.
    fn id_clock(&self) -> i64 {
        self.server().generator.unix_millis(self.state.next()) - NOW
    }

    fn set_back(&self, millis: i64) {
        self.host.step.set(self.host.step.get() - millis * 1_000);
    }

    fn refuses(&self, id: i64) {
        let before = self.state.next();
        let is_refusal = |refusal| matches!(refusal, Obstacle::TooFarAhead { .. });
        assert!(self.server().next_after(id).is_err_and(is_refusal));
        assert!(self.server().witness(id).is_err_and(is_refusal));
        assert_eq!(self.state.next(), before, "the ID clock has moved");
    }
}

#[test]
fn what_is_further_ahead_than_load_may_be_moves_nothing() {
    let world = World::new();
    world.next();
    world.refuses(world.at(MAX_DRIFT + 1));
    world.refuses(i64::MAX);
    assert_eq!(world.state.counts().too_far_ahead, 4);
    assert_eq!(world.state.counts().raises, 0);
    // The greatest that is not.
    world.server().witness(world.at(MAX_DRIFT) - 1).unwrap();
    assert_eq!(world.id_clock(), MAX_DRIFT);
}

#[test]
fn a_number_below_all_ids_asks_for_nothing() {
    let world = World::new();
    assert!(world.server().next_after(i64::MIN).unwrap() > 0);
    world.server().witness(-1).unwrap();
    assert_eq!(world.id_clock(), 0);
}

#[test]
fn asking_for_more_and_more_never_pushes_the_id_clock_beyond_max_drift() {
    let world = World::new();
    let mut last = world.next();
    for _ in 0..1_000 {
        for ahead in [1, 1_000, MAX_DRIFT - 1, MAX_DRIFT, 2 * MAX_DRIFT] {
            let far = last + world.at(ahead) - world.at(0);
            last = world.server().next_after(far).unwrap_or(last);
            let _ = world.server().witness(far);
        }
        let elapsed = world.host.time.get() / 1_000;
        assert!(world.id_clock() <= elapsed + MAX_DRIFT, "{} in {elapsed}", world.id_clock());
        world.host.pass(Duration::from_millis(1));
    }
}

#[test]
fn an_id_is_waited_for_no_longer_than_it_takes_to_be_near_enough() {
    let waited = |world: &World, ahead| {
        let before = world.host.time.get();
        let id = world.at(world.id_clock() + ahead);
        assert!(world.server().next_after(id).unwrap() > id);
        (world.host.time.get() - before) / 1_000
    };
    let world = World::new();
    world.next();
    assert_eq!(waited(&world, MAX_DRIFT), 0);
    // The wall clock will be near enough.
    assert!((2_000..=2_010).contains(&waited(&world, 2_000)));
    // It will not, for an hour.
    world.set_back(HOUR);
    assert!((3_000..=3_010).contains(&waited(&world, 3_000)));
}

#[test]
fn once_the_wall_clock_was_set_back_the_id_clock_keeps_the_pace_of_real_time() {
    let world = World::new();
    let mut last = world.next();
    world.set_back(HOUR);
    let start = world.id_clock();
    for _ in 0..1_000 {
        let far = last + world.at(MAX_DRIFT) - world.at(0);
        last = world.server().next_after(far).unwrap_or(last);
        assert!(world.server().witness(far + (1 << 30)).is_err());
        let elapsed = world.host.time.get() / 1_000;
        assert!(world.id_clock() - start <= elapsed + 10, "{} in {elapsed}", world.id_clock());
    }
    assert!(world.state.counts().waits > 0);
}

#[test]
fn a_raise_is_kept_by_the_next_life_and_never_goes_down() {
    let world = World::new();
    let far = world.at(10 * HOUR);
    assert_eq!(world.server().raise(far), Ok(true));
    assert_eq!(world.server().raise(far), Ok(false));
    assert_eq!(world.server().raise(0), Ok(false));
    assert!(world.next() > far);
    let world = world.crash();
    // In a new life, the ID clock is not known before the lease was read.
    assert_eq!(world.server().raise(far), Ok(false));
    assert!(world.next() > far);
    let events = world.host.events.borrow();
    let raises = events.iter().filter(|event| matches!(event, Event::Raised { .. }));
    assert_eq!(raises.count(), 1);
}

#[test]
fn an_id_of_a_former_life_is_not_too_far_ahead() {
    let world = World::new();
    world.server().raise(world.at(10 * HOUR)).unwrap();
    let id = world.next();
    let world = world.crash();
    world.server().witness(id).unwrap();
    let world = world.crash();
    assert!(world.server().next_after(id).unwrap() > id);
}

#[test]
fn a_witnessed_id_is_below_those_of_the_next_life_and_of_a_clock_set_back() {
    let world = World::new();
    let shown = world.at(-10);
    world.server().witness(shown).unwrap();
    world.set_back(HOUR);
    assert!(world.next() > shown);
    let world = World::new();
    world.server().witness(shown).unwrap();
    let world = world.crash();
    world.set_back(HOUR);
    assert!(world.next() > shown);
}

/// The next life knows nothing of a place that this one was to start at.
#[test]
fn nothing_is_witnessed_before_the_first_lease_is_written() {
    let host = OneProcess::default();
    let world = World { state: State::at_start(&host, 0), host };
    *world.host.fails.borrow_mut() = Some(Step::Create);
    assert!(world.server().next().is_err());
    let shown = world.at(1_000);
    assert!(world.id_clock() > 1_000);
    assert!(matches!(world.server().witness(shown), Err(Obstacle::LeaseFile(_))));
    assert!(matches!(world.server().raise(shown), Err(Obstacle::LeaseFile(_))));
    *world.host.fails.borrow_mut() = None;
    world.server().witness(shown).unwrap();
    let world = world.crash();
    world.set_back(HOUR);
    assert!(world.next() > shown);
}

#[test]
fn a_witnessed_id_is_below_those_of_the_next_life_as_another_node() {
    let world = World::new();
    // Between the two nodes, and in the millisecond that the exact end of the lease is the start of.
    let other = generator(5);
    let shown = other.id(other.tick_at(NOW + 500));
    world.server().witness(shown).unwrap();
    world.server().shut_down().unwrap();
    let World { state, host } = world.crash();
    let server = Server { generator: generator(3), state: &state, host: &host };
    assert!(server.next().unwrap() > shown);
}

#[test]
fn only_what_is_ahead_of_the_wall_clock_counts_as_a_raise() {
    let world = World::new();
    for id in [world.at(-1_000), world.at(-500), world.at(500)] {
        world.server().next_after(id).unwrap();
        world.server().witness(id).unwrap();
    }
    world.server().witness(world.at(1_000)).unwrap();
    let counts = world.state.counts();
    assert_eq!((counts.witnessed, counts.raises), (4, 2));
}

#[test]
fn without_a_disk_an_id_moves_nothing_beyond_the_lease() {
    let world = World::new();
    world.next();
    let end = world.state.lease_end();
    *world.host.fails.borrow_mut() = Some(Step::Write);
    let far = world.at(4_000);
    assert!(matches!(world.server().witness(far), Err(Obstacle::LeaseFile(_))));
    assert!(matches!(world.server().next_after(far), Err(Obstacle::LeaseFile(_))));
    assert!(matches!(world.server().raise(far), Err(Obstacle::LeaseFile(_))));
    assert!(world.state.next() < end);
    *world.host.fails.borrow_mut() = None;
    assert!(world.server().next_after(far).unwrap() > far);
}
