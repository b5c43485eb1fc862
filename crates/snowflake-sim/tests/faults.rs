//! Every fault at every step of small scenarios, two faults deep; and controls: hosts that leave something out,
//! which must be found out.
#![allow(missing_docs, clippy::unwrap_used)]

use snowflake_sim::faults::Found;
use snowflake_sim::scenarios::{self, Scenario};
use snowflake_sim::server::Omission;

fn scenario(name: &str) -> &'static Scenario {
    scenarios::ALL.iter().find(|scenario| scenario.name == name).unwrap()
}

/// Searches a scenario of real hosts.
fn search(name: &str, least_runs: u64) {
    let Found { runs, violations, worst, .. } = scenario(name).search(None, 2);
    println!("{name}: {runs} runs");
    assert_eq!(violations, 0, "{worst:#?}");
    assert!(runs > least_runs, "{runs}");
}

/// Searches for an ID that is issued twice, and runs the schedule that was found once more.
fn find_repeat(name: &str, omits: Omission, faults: usize) {
    let found = scenario(name).search(Some(omits), faults);
    let (schedule, outcome) = found.worst.unwrap();
    assert!(found.repeats > 0 && outcome.repeated > 0, "{outcome:#?}");
    println!("{name} without {omits:?}: {} of {} runs", found.repeats, found.runs);
    println!("{schedule:?}\n{}", outcome.story.join("\n"));
    let again = scenario(name).run(Some(omits), schedule.clone(), false);
    assert_eq!((again.repeated, again.violations), (outcome.repeated, outcome.violations));
    let sound = scenario(name).run(None, schedule, false);
    assert_eq!((sound.repeated, sound.violations), (0, vec![]));
}

#[test]
fn start() {
    search("start", 10_000);
}

#[test]
fn renewal() {
    search("renewal", 10_000);
}

#[test]
fn start_without_a_keeper() {
    search("start without a keeper", 10_000);
}

#[test]
fn renewal_without_a_keeper() {
    search("renewal without a keeper", 10_000);
}

#[test]
fn batch() {
    search("batch", 10_000);
}

#[test]
fn turns() {
    search("turns", 10_000);
}

#[test]
fn promotion() {
    search("promotion", 10_000);
}

#[test]
fn promotion_without_a_keeper() {
    search("promotion without a keeper", 10_000);
}

#[test]
fn cascade() {
    search("cascade", 50_000);
}

#[test]
fn stop() {
    search("stop", 10_000);
}

#[test]
fn stop_of_a_standby() {
    search("stop of a standby", 10_000);
}

#[test]
fn shown() {
    search("shown", 10_000);
}

#[test]
fn shown_without_a_keeper() {
    search("shown without a keeper", 10_000);
}

#[test]
fn shown_and_waited_for() {
    search("shown and waited for", 10_000);
}

#[test]
fn shown_at_the_end_of_the_lease() {
    search("shown at the end of the lease", 10_000);
}

#[test]
fn shown_and_stop() {
    search("shown and stop", 10_000);
}

#[test]
fn what_a_server_is_not_shown_is_above_its_ids() {
    let outcome = scenario("shown").run(Some(Omission::Showing), vec![], false);
    assert!(!outcome.violations.is_empty() && outcome.repeated == 0, "{outcome:#?}");
}

#[test]
fn without_the_fsync_a_power_cut_repeats_ids() {
    find_repeat("promotion", Omission::Sync, 1);
}

#[test]
fn without_the_wal_record_a_failover_repeats_ids() {
    find_repeat("start", Omission::WalRecord, 1);
}

#[test]
fn without_the_flush_a_failover_repeats_ids() {
    find_repeat("start", Omission::WalFlush, 1);
}

#[test]
fn without_waiting_for_standbys_a_failover_repeats_ids() {
    find_repeat("start without a keeper", Omission::Standbys, 1);
}

#[test]
fn a_standby_that_keeps_nothing_at_checkpoints_repeats_ids() {
    find_repeat("promotion", Omission::KeepAtCheckpoint, 2);
}

#[test]
fn a_primary_that_keeps_nothing_where_replay_ends_repeats_ids() {
    find_repeat("promotion without a keeper", Omission::KeepAtEnd, 2);
}

#[test]
fn a_standby_that_goes_on_when_it_cannot_keep_a_lease_repeats_ids() {
    find_repeat("promotion without a keeper", Omission::WaitToKeep, 2);
}
