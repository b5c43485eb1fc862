//! Runs of tickets, claimed in one step: consecutive, within one millisecond, below a limit, and
//! mixed with tickets taken one at a time.
#![cfg(not(loom))]
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::layouts;
use proptest::prelude::*;
use snowflake_core::{Epoch, Generator, Layout, Node, Section, Space, Tick, Ticker};

/// No more than a test can hold; the widest sequence has 2^24.
const LONGEST: u64 = 5_000;

fn generator(layout: Layout) -> Generator {
    Generator::new(Space { layout, epoch: Epoch::default() }, Node::default()).unwrap()
}

/// How many tickets one millisecond has.
fn per_milli(layout: Layout) -> u64 {
    layout.max(Section::Sequence) + 1
}

fn at(next: Tick) -> Ticker {
    let ticker = Ticker::default();
    ticker.raise(next);
    ticker
}

/// A generator, a tick near the start or the end of a millisecond or between, and the length of a
/// run that fits one.
fn runs() -> impl Strategy<Value = (Generator, Tick, u64)> {
    layouts().prop_flat_map(|layout| {
        let size = per_milli(layout);
        let within = prop_oneof![0..size, Just(0), Just(size - 1)];
        let length = prop_oneof![1..=size, Just(1), Just(size)];
        (0..1_u64 << 38, within, length).prop_map(move |(millis, within, length)| {
            (generator(layout), millis * size + within, length)
        })
    })
}

/// What one caller does next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Take { floor: Tick },
    Claim { n: u64, room: u64 },
}

fn steps(layout: Layout) -> impl Strategy<Value = Vec<Step>> {
    let size = per_milli(layout);
    let step = prop_oneof![
        (0..20 * size).prop_map(|floor| Step::Take { floor }),
        (0..=size.min(LONGEST), 0..2 * size).prop_map(|(n, room)| Step::Claim { n, room }),
    ];
    prop::collection::vec(step, 1..50)
}

proptest! {
    #[test]
    fn a_run_starts_at_the_first_place_within_one_millisecond((generator, tick, n) in runs()) {
        let start = generator.start_of_run(tick, n);
        let fits = |first| generator.millis(first) == generator.millis(first + n - 1);
        prop_assert!(start >= tick && fits(start));
        if start > tick {
            prop_assert!(!fits(tick) && !fits(start - 1));
            prop_assert_eq!(start, generator.whole_millis(tick));
            prop_assert!(start - tick < n, "fewer are skipped than are claimed");
        }
    }

    #[test]
    fn claimed_runs_never_straddle_a_millisecond((generator, next, n) in runs()) {
        let ticker = at(next);
        let first = ticker.claim(n, Tick::MAX, |tick| generator.start_of_run(tick, n)).unwrap();
        prop_assert_eq!(generator.millis(first), generator.millis(first + n - 1));
        prop_assert_eq!(ticker.peek(), first + n);
        prop_assert_eq!(generator.id(first + n - 1) - generator.id(first), (n - 1).cast_signed());
    }

    #[test]
    fn a_claim_ends_below_the_limit_or_changes_nothing(
        next in 0..1_000_u64, n in 0..1_000_u64, limit in 0..3_000_u64, skip in -500..500_i64
    ) {
        let ticker = at(next);
        let claimed = ticker.claim(n, limit, |tick| tick.saturating_add_signed(skip));
        // A start before the next ticket would hand out what is already gone.
        let first = next.saturating_add_signed(skip.max(0));
        if first + n <= limit {
            prop_assert_eq!((claimed, ticker.peek()), (Some(first), first + n));
        } else {
            prop_assert_eq!((claimed, ticker.peek()), (None, next));
        }
    }

    #[test]
    fn tickets_taken_and_claimed_increase_and_never_repeat(
        (layout, steps) in layouts().prop_flat_map(|layout| (Just(layout), steps(layout)))
    ) {
        let generator = generator(layout);
        let ticker = Ticker::default();
        let mut ticks = vec![];
        for step in steps {
            let next = ticker.peek();
            match step {
                Step::Take { floor } => {
                    let tick = ticker.take(floor);
                    prop_assert_eq!(tick, next.max(floor));
                    ticks.push(tick);
                }
                Step::Claim { n, room } => {
                    let limit = next + room;
                    let run = ticker.claim(n, limit, |tick| generator.start_of_run(tick, n));
                    prop_assert!(run.map_or(ticker.peek() == next, |_| ticker.peek() <= limit));
                    ticks.extend(run.into_iter().flat_map(|first| first..first + n));
                }
            }
        }
        prop_assert!(ticks.is_sorted_by(|&a, &b| generator.id(a) < generator.id(b)));
    }

    #[test]
    fn nothing_overflows_at_the_end_of_the_numbers(
        left in 0..10_000_u64, n in 0..20_000_u64, layout in layouts()
    ) {
        let generator = generator(layout);
        let next = Tick::MAX - left;
        let ticker = at(next);
        let claimed = ticker.claim(n, Tick::MAX, |tick| generator.start_of_run(tick, n));
        match claimed {
            Some(first) => {
                prop_assert!(first >= next);
                prop_assert_eq!(first.checked_add(n), Some(ticker.peek()));
            }
            None => prop_assert_eq!(ticker.peek(), next),
        }
        prop_assert!(n <= left || claimed.is_none());
    }
}

#[test]
fn a_run_that_does_not_fit_the_millisecond_waits_for_the_next() {
    let generator = generator(Layout::default());
    let starts = |tick, n| generator.start_of_run(tick, n);
    assert_eq!(starts(0, 4096), 0);
    assert_eq!(starts(1, 4095), 1);
    assert_eq!(starts(1, 4096), 4096);
    assert_eq!(starts(4095, 1), 4095);
    assert_eq!(starts(4095, 2), 4096);
    assert_eq!(starts(4096, 2), 4096);
}

#[test]
fn without_a_sequence_every_ticket_is_a_run() {
    let generator = generator(Layout::new(12, 12, 0).unwrap());
    for tick in [0, 1, 1 << 38] {
        assert_eq!(generator.start_of_run(tick, 1), tick);
    }
}

#[test]
fn limit_is_exact() {
    let ticker = at(10);
    assert_eq!(ticker.claim(5, 14, |tick| tick), None);
    assert_eq!(ticker.claim(5, 15, |tick| tick), Some(10));
    assert_eq!(ticker.claim(1, 15, |tick| tick), None);
    assert_eq!(ticker.claim(1, 0, |tick| tick), None);
    assert_eq!(ticker.peek(), 15);
    assert_eq!(ticker.take(0), 15);
}

#[test]
fn a_start_beyond_the_limit_skips_nothing() {
    let ticker = at(4090);
    let generator = generator(Layout::default());
    assert_eq!(ticker.claim(10, 4096, |tick| generator.start_of_run(tick, 10)), None);
    assert_eq!(ticker.take(0), 4090);
    assert_eq!(ticker.claim(10, 8192, |tick| generator.start_of_run(tick, 10)), Some(4096));
    assert_eq!(ticker.take(0), 4106);
}

#[test]
fn the_last_number_is_never_passed() {
    for (n, claimed) in [(9, Some(Tick::MAX - 9)), (10, None), (Tick::MAX, None)] {
        let ticker = at(Tick::MAX - 9);
        assert_eq!(ticker.claim(n, Tick::MAX, |tick| tick), claimed);
    }
    assert_eq!(at(1).claim(1, Tick::MAX, |_| Tick::MAX), None);
    assert_eq!(Ticker::default().claim(Tick::MAX, Tick::MAX, |tick| tick), Some(0));
}
