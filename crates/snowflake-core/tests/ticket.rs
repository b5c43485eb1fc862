//! Ticket arithmetic: overflow, clocks that step back or stand still, the ends of the section.
#![cfg(not(loom))]
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::layouts;
use proptest::prelude::*;
use snowflake_core::{Epoch, Generator, IssueError, Layout, Node, Parts, Section, Space, Ticker};

/// A moment well after the default epoch, in milliseconds since 1970.
const NOW: i64 = 1_800_000_000_000;
const SECOND: i64 = 1_000;
const DAY: i64 = 86_400 * SECOND;

struct Issuer {
    generator: Generator,
    ticker: Ticker,
}

impl Issuer {
    fn new(layout: Layout) -> Self {
        let space = Space { layout, epoch: Epoch::default() };
        let generator = Generator::new(space, Node::default()).unwrap();
        Self { generator, ticker: Ticker::default() }
    }

    fn at(&self, now: i64) -> Result<Parts, IssueError> {
        let floor = self.generator.floor(&self.ticker, now)?;
        let tick = self.ticker.take(floor);
        self.generator.check(tick)?;
        Ok(self.generator.layout().decode(self.generator.id(tick)))
    }
}

fn since_epoch(now: i64) -> u64 {
    (now - Epoch::default().unix_millis()).cast_unsigned()
}

#[test]
fn sequence_overflow_rolls_into_the_next_millisecond() {
    let issuer = Issuer::new(Layout::default());
    let parts: Vec<_> = (0..4097).map(|_| issuer.at(NOW).unwrap()).collect();
    assert!(parts[..4096].iter().all(|part| part.timestamp == since_epoch(NOW)));
    assert_eq!(parts[4095].sequence, 4095);
    assert_eq!((parts[4096].timestamp, parts[4096].sequence), (since_epoch(NOW) + 1, 0));
}

#[test]
fn sequence_starts_at_zero_in_a_new_millisecond() {
    let issuer = Issuer::new(Layout::default());
    issuer.at(NOW).unwrap();
    assert_eq!(issuer.at(NOW).unwrap().sequence, 1);
    assert_eq!(issuer.at(NOW + 1).unwrap().sequence, 0);
}

#[test]
fn clock_step_back_keeps_order() {
    for step in [1, SECOND, DAY] {
        let issuer = Issuer::new(Layout::default());
        let before = issuer.at(NOW).unwrap();
        let after = issuer.at(NOW - step).unwrap();
        assert_eq!(after, Parts { sequence: before.sequence + 1, ..before }, "{step} ms back");
    }
}

#[test]
fn clock_that_stands_still_keeps_issuing() {
    let issuer = Issuer::new(Layout::new(5, 5, 2).unwrap());
    let times: Vec<_> = (0..40).map(|_| issuer.at(NOW).unwrap().timestamp).collect();
    let expected: Vec<_> = (0..40).map(|n| since_epoch(NOW) + n / 4).collect();
    assert_eq!(times, expected);
}

#[test]
fn clock_before_the_epoch_err_unless_ids_were_issued() {
    let issuer = Issuer::new(Layout::default());
    let before = Epoch::default().unix_millis() - 1;
    assert_eq!(issuer.at(before), Err(IssueError::EpochInFuture));
    let first = issuer.at(NOW).unwrap();
    assert_eq!(issuer.at(before), Ok(Parts { sequence: 1, ..first }));
    assert_eq!(issuer.at(i64::MIN), Ok(Parts { sequence: 2, ..first }));
}

#[test]
fn section_end_limits() {
    let issuer = Issuer::new(Layout::default());
    let last = issuer.generator.space().last_unix_millis();
    assert_eq!(
        issuer.at(last).unwrap().timestamp,
        issuer.generator.layout().max(Section::Timestamp)
    );
    assert_eq!(issuer.at(last + 1), Err(IssueError::Exhausted));
    assert_eq!(issuer.at(i64::MAX), Err(IssueError::Exhausted));
    for _ in 1..4096 {
        issuer.at(last).unwrap();
    }
    assert_eq!(issuer.at(last), Err(IssueError::Exhausted));
}

/// Within one millisecond the node's bits come before the sequence's.
#[test]
fn a_server_that_changes_its_node_goes_on_in_a_new_millisecond() {
    let of = |machine| Generator::new(Space::default(), Node { datacenter: 0, machine }).unwrap();
    let (before, after) = (of(7), of(1));
    let last = before.floor(&Ticker::default(), NOW).unwrap() + 5;
    assert!(after.id(last + 1) < before.id(last));
    assert!(after.id(after.whole_millis(last + 1)) > before.id(last));
    assert_eq!(after.whole_millis(4096), 4096);
    assert_eq!(after.whole_millis(4097), 8192);
    assert_eq!(after.whole_millis(0), 0);
}

#[test]
fn node_that_does_not_fit_err() {
    let refused = |datacenter, machine| {
        let error = Generator::new(Space::default(), Node { datacenter, machine }).unwrap_err();
        (error.section, error.value, error.max)
    };
    assert_eq!(refused(32, 0), (Section::Datacenter, 32, 31));
    assert_eq!(refused(0, 99), (Section::Machine, 99, 31));
}

proptest! {
    #[test]
    fn ids_increase_whatever_the_clock_does(
        layout in layouts(), steps in prop::collection::vec((-2 * DAY..2 * DAY, 1..50_usize), 1..50)
    ) {
        let issuer = Issuer::new(layout);
        let mut now = NOW.min(issuer.generator.space().last_unix_millis() / 2 + NOW / 2);
        let mut last = -1;
        for (step, calls) in steps {
            now += step;
            for _ in 0..calls {
                let floor = issuer.generator.floor(&issuer.ticker, now).unwrap();
                let id = issuer.generator.id(issuer.ticker.take(floor));
                prop_assert!(id > last);
                last = id;
            }
        }
    }

    #[test]
    fn id_is_never_older_than_the_clock(layout in layouts(), offsets in prop::collection::vec(0..DAY, 1..100)) {
        let issuer = Issuer::new(layout);
        for offset in offsets {
            prop_assert!(issuer.at(NOW + offset).unwrap().timestamp >= since_epoch(NOW + offset));
        }
    }

    #[test]
    fn limit_is_the_first_tick_beyond_the_drift(layout in layouts(), drift in 0..3_600_000_u32) {
        let generator = Issuer::new(layout).generator;
        let floor = generator.floor(&Ticker::default(), NOW).unwrap();
        let limit = generator.limit(floor, drift);
        prop_assert_eq!(generator.millis(limit - 1), generator.millis(floor) + u64::from(drift));
        prop_assert_eq!(generator.millis(limit), generator.millis(limit - 1) + 1);
    }

    #[test]
    fn limit_ends_with_the_section(layout in layouts(), drift in 0..3_600_000_u32) {
        prop_assume!(layout.bits(Section::Timestamp) < 55); // or the end is beyond any clock
        let generator = Issuer::new(layout).generator;
        let last = generator.space().last_unix_millis();
        let limit = generator.limit(generator.floor(&Ticker::default(), last).unwrap(), drift);
        prop_assert_eq!(limit, generator.space().end());
        prop_assert_eq!(generator.check(limit - 1), Ok(()));
        prop_assert_eq!(generator.check(limit), Err(IssueError::Exhausted));
    }

    #[test]
    fn ticks_and_moments_agree(layout in layouts(), offset in 0..DAY) {
        let generator = Issuer::new(layout).generator;
        let floor = generator.floor(&Ticker::default(), NOW + offset).unwrap();
        prop_assert_eq!(generator.tick_at(NOW + offset), floor);
        prop_assert_eq!(generator.unix_millis(floor), NOW + offset);
        prop_assert_eq!(generator.tick_at(i64::MIN), 0);
        prop_assert!(generator.tick_at(i64::MAX) <= generator.space().end());
    }
}
