//! Many servers at once, in simulated time. `examples/simulate.rs` does the same at full size.
#![cfg(not(loom))]
#![allow(missing_docs, clippy::unwrap_used)]

mod simulator;

use fastrand::Rng;
use simulator::capacity::Capacity;
use simulator::check::Findings;
use simulator::lease::Keeper;
use simulator::machine::{Counts, MILLI, Machine, SECOND};
use simulator::series;
use simulator::server::Server;
use simulator::world::{MAX_SKEW, Outcome, Regime, World};
use snowflake_core::{Layout, Node, Section};
use std::collections::HashSet;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Waker};

const SEED: u64 = 7;

/// Every layout in every regime, with a few servers each.
fn every_world() -> impl Iterator<Item = World> {
    (0..World::ROUND).map(|number| World::of_series(number, SEED).small(16))
}

fn worlds_of(regime: Regime) -> impl Iterator<Item = World> {
    every_world().filter(move |world| world.regime == regime)
}

/// The world of a default layout.
fn world_of(regime: Regime) -> World {
    worlds_of(regime).find(|world| world.layout == Layout::default()).unwrap()
}

fn duplicates(mut ids: Vec<i64>) -> u64 {
    ids.sort_unstable();
    ids.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64
}

#[test]
fn no_id_repeats_and_order_is_bounded_in_any_layout_under_any_fault() {
    let mut counts = Counts::default();
    for world in every_world() {
        let outcome = world.run();
        assert!(outcome.findings.are_none(), "{outcome:#?}");
        assert!(outcome.ids > 10_000, "{outcome:#?}");
        counts += outcome.counts;
    }
    let Counts { crashes, clean_stops, failovers, steps_back, steps_forward, .. } = counts;
    for (number, least) in [
        (crashes, 500),
        (counts.crashes_while_writing, 50),
        (clean_stops, 100),
        (failovers, 100),
        (steps_back, 500),
        (steps_forward, 500),
        (counts.paced_waits, 10_000),
        (counts.cancelled, 50),
        (counts.interrupted, 1_000),
        (counts.failed_writes, 50),
    ] {
        assert!(number > least, "{counts:?}");
    }
}

#[test]
fn without_faults_order_is_off_by_two_skews_and_max_drift_at_most() {
    for world in worlds_of(Regime::Steady).chain(worlds_of(Regime::SteadyWithoutDrift)) {
        let drift = i64::from(world.max_drift) * MILLI;
        let Outcome { largest_inversion, largest_drift_micros, .. } = world.run();
        assert!(largest_drift_micros <= drift, "{largest_drift_micros} us");
        let micros = largest_inversion.micros;
        assert!(micros < 2 * MAX_SKEW + drift + MILLI, "{micros} us");
        // And by that much it is off.
        assert!(micros > 2 * MAX_SKEW - 50 * MILLI, "{micros} us");
    }
}

#[test]
fn all_ids_in_one_sorted_list_say_the_same() {
    for twins in [false, true] {
        let outcome = World { collect_ids: true, twins, ..world_of(Regime::Everything) }.run();
        assert_eq!(outcome.all_ids.len() as u64, outcome.ids);
        assert_eq!(duplicates(outcome.all_ids), outcome.findings.duplicates);
        assert_eq!(outcome.findings.duplicates > 0, twins);
    }
}

#[test]
fn the_keeper_never_replaces_a_lease_by_a_shorter_one() {
    let world = world_of(Regime::Steady);
    let machine = Rc::new(Machine::new(&world, Node::default(), 0, Rng::with_seed(SEED)));
    let server = Server::new(machine.clone(), None);
    let wake_at = |now| machine.now.set(now);
    let context = &mut Context::from_waker(Waker::noop());
    let mut keeper = pin!(Keeper::default().run(&server));
    for turn in 0..2 {
        let mut call = machine.ask(0);
        let mut next = pin!(server.next(&mut call));
        while next.as_mut().poll(context).is_pending() {
            wake_at(machine.wake_at());
        }
        wake_at(machine.now.get() + (1 + turn) * 350 * MILLI);
    }
    // A batch that needs the lease for four seconds is at the disk when the keeper finds it half
    // over, and is held up before it takes its tickets.
    let far = server.ticker.peek() + (4_000 << 12);
    let mut batch = pin!(server.extend_for_caller(far));
    assert!(batch.as_mut().poll(context).is_pending());
    let written_at = machine.wake_at();
    assert!(keeper.as_mut().poll(context).is_pending());
    let keeper_at = machine.wake_at();
    wake_at(written_at);
    assert!(batch.as_mut().poll(context).is_ready());
    assert!(server.lease.end() > far);
    for _ in 0..3 {
        wake_at(keeper_at.max(machine.now.get() + 3 * MAX_SKEW));
        assert!(keeper.as_mut().poll(context).is_pending());
    }
    let durable = machine.disk.borrow().read().unwrap().end;
    assert!(durable >= server.lease.end(), "{durable} of {}", server.lease.end());
}

#[test]
fn two_servers_of_one_identity_are_found_out() {
    // Where clocks step far apart, twins may never issue of the same time.
    for regime in [Regime::Steady, Regime::SteadyWithoutDrift, Regime::Crashes] {
        let outcome = World { twins: true, ..world_of(regime) }.run();
        assert!(outcome.findings.duplicates > 0, "{outcome:#?}");
    }
}

#[test]
fn without_a_lease_a_crash_and_a_clock_that_steps_back_repeat_ids() {
    let outcome = World { lease_is_kept: false, ..world_of(Regime::Everything) }.run();
    assert!(outcome.findings.duplicates > 0, "{outcome:#?}");
}

#[test]
fn a_standby_that_only_has_a_copy_of_the_lease_file_repeats_ids() {
    let world = world_of(Regime::Failovers);
    let outcome = World { lease_is_in_wal: false, ..world }.run();
    assert!(outcome.findings.duplicates > 0, "{outcome:#?}");
}

#[test]
fn a_standby_knows_every_lease_unless_its_checkpoint_overtakes_its_keeper() {
    for checkpoints_wait in [true, false] {
        let worlds = worlds_of(Regime::Failovers);
        let worlds = worlds.map(|it| World { checkpoints_wait, fault_every: SECOND, ..it });
        let findings: Vec<_> = worlds.map(|world| world.run().findings).collect();
        let duplicates: u64 = findings.iter().map(|findings| findings.duplicates).sum();
        assert_eq!(duplicates > 0, !checkpoints_wait);
        assert_eq!(findings.iter().all(Findings::are_none), checkpoints_wait, "{findings:#?}");
    }
}

#[test]
fn a_bound_that_is_too_small_is_found_out() {
    let world = worlds_of(Regime::Steady).find(|world| world.max_drift == 5_000).unwrap();
    let findings = World { believed_drift: Some(100), ..world }.run().findings;
    assert!(findings.ahead_of_the_bound > 0 && findings.out_of_bound > 0, "{findings:#?}");
}

#[test]
fn the_same_seed_gives_the_same_worlds_on_any_number_of_threads() {
    let world = |number| World::of_series(number, SEED).small(4);
    let run = |threads| series::run(world, 300_000, threads, |_| {});
    let (one, three) = (run(1), run(3));
    assert_eq!(format!("{one:?}"), format!("{three:?}"));
    let ids: u64 = one.iter().map(|outcome| outcome.ids).sum();
    assert!(ids >= 300_000 && ids - one.last().unwrap().ids < 300_000);
    let other = World::of_series(0, SEED + 1).small(4).run();
    assert_ne!(format!("{other:?}"), format!("{:?}", one[0]));
}

#[test]
fn the_series_has_every_layout_in_every_regime() {
    let all = every_world().map(|world| (world.layout, world.regime as u8));
    assert_eq!(all.collect::<HashSet<_>>().len() as u64, World::ROUND);
}

#[test]
fn capacity_is_what_the_sections_hold() {
    let capacity = Capacity::of(Layout::default());
    assert_eq!((capacity.nodes, capacity.ids_per_second_and_node), (1_024, 4_096_000));
    assert_eq!(capacity.ids_per_second, 4_194_304_000);
    assert_eq!(capacity.last_day.as_deref(), Some("2093-09-06"));
    assert_eq!(capacity.last_day_below_2_53, None);
    let capacity = Capacity::of(Layout::new(0, 8, 4).unwrap());
    assert_eq!(capacity.layout.bits(Section::Timestamp), 51);
    assert_eq!((capacity.nodes, capacity.ids_per_second_and_node), (256, 16_000));
    assert_eq!(capacity.last_day, None);
    assert_eq!(capacity.last_day_below_2_53.as_deref(), Some("2093-09-06"));
}
