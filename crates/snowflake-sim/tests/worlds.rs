//! Many servers at once, in simulated time. The program does the same at full size.
#![allow(missing_docs, clippy::unwrap_used)]

use snowflake_core::{Layout, Section};
use snowflake_sim::check::Findings;
use snowflake_sim::clock::MILLI;
use snowflake_sim::server::{Counts, Omission};
use snowflake_sim::worlds::capacity::Capacity;
use snowflake_sim::worlds::series;
use snowflake_sim::worlds::world::{MAX_SKEW, Outcome, Regime, World, add};
use std::collections::HashSet;

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
        add(&mut counts, outcome.counts);
    }
    for (event, least) in [
        ("crashes", 500),
        ("crashes while writing", 50),
        ("clean stops", 100),
        ("failovers", 100),
        ("standby restarts", 100),
        ("other nodes", 100),
        ("steps back", 500),
        ("steps forward", 500),
        ("paced waits", 10_000),
        ("cancelled", 50),
        ("interrupted", 1_000),
        ("failed writes", 50),
        ("replies", 1_000),
        ("witnessed", 1_000),
        ("shown ahead of the clock", 500),
        ("shown too far ahead", 500),
    ] {
        assert!(counts[event] > least, "{counts:?}");
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
        let outcome = World { collect_ids: true, twins, ..world_of(Regime::Crashes).busy() }.run();
        assert_eq!(outcome.all_ids.len() as u64, outcome.ids);
        assert_eq!(duplicates(outcome.all_ids), outcome.findings.duplicates);
        assert_eq!(outcome.findings.duplicates > 0, twins);
    }
}

#[test]
fn two_servers_of_one_identity_are_found_out() {
    // Where clocks step far apart, twins may never issue of the same time.
    for regime in [Regime::Steady, Regime::SteadyWithoutDrift, Regime::Crashes] {
        let outcome = World { twins: true, ..world_of(regime).busy() }.run();
        assert!(outcome.findings.duplicates > 0, "{outcome:#?}");
    }
}

#[test]
fn without_a_lease_a_crash_and_a_clock_that_steps_back_repeat_ids() {
    let outcome =
        World { omits: Some(Omission::Lease), ..world_of(Regime::Everything).busy() }.run();
    assert!(outcome.findings.duplicates > 0, "{outcome:#?}");
}

#[test]
fn a_standby_that_does_not_know_of_leases_repeats_ids() {
    for omission in [Omission::WalRecord, Omission::WalFlush] {
        let outcome = World { omits: Some(omission), ..world_of(Regime::Failovers).busy() }.run();
        assert!(outcome.findings.duplicates > 0, "{outcome:#?}");
    }
}

#[test]
fn a_standby_knows_every_lease_unless_a_restart_begins_beyond_what_it_has_kept() {
    for omits in [None, Some(Omission::KeepAtCheckpoint)] {
        let worlds = worlds_of(Regime::Failovers);
        let worlds = worlds.map(|it| World { omits, ..it.busy() });
        let findings: Vec<_> = worlds.map(|world| world.run().findings).collect();
        let duplicates: u64 = findings.iter().map(|findings| findings.duplicates).sum();
        assert_eq!(duplicates > 0, omits.is_some(), "{findings:#?}");
        assert_eq!(findings.iter().all(Findings::are_none), omits.is_none(), "{findings:#?}");
    }
}

#[test]
fn servers_that_are_not_shown_what_others_issue_fall_behind_it() {
    for omits in [None, Some(Omission::Showing)] {
        let outcome = World { omits, ..world_of(Regime::Everything).busy() }.run();
        assert!(outcome.causal_pairs > 10_000, "{outcome:#?}");
        assert_eq!(outcome.findings.below_shown > 0, omits.is_some(), "{outcome:#?}");
        assert_eq!(outcome.findings.are_none(), omits.is_none(), "{outcome:#?}");
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
