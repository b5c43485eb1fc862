//! Warnings by the million: few are written, none is lost.
#![cfg(not(loom))]
#![allow(missing_docs)]

use proptest::prelude::*;
use snowflake_core::Flood;

const MINUTE: i64 = 60_000_000;

#[derive(Clone, Copy, Debug)]
enum Event {
    Warning,
    End,
}

fn events() -> impl Strategy<Value = Vec<(Event, i64)>> {
    let event = prop_oneof![9 => Just(Event::Warning), 1 => Just(Event::End)];
    // Mostly in one go, sometimes after seconds or minutes.
    let pause = prop_oneof![90 => 0..1_000_i64, 9 => 0..MINUTE, 1 => 0..10 * MINUTE];
    prop::collection::vec((event, pause), 0..500)
}

proptest! {
    #[test]
    fn every_warning_is_counted_once(events in events(), start in any::<u32>()) {
        let (mut flood, mut now) = (Flood::default(), i64::from(start));
        let (mut warnings, mut counted) = (0, 0);
        for (event, pause) in events {
            now += pause;
            let written = match event {
                Event::Warning => {
                    warnings += 1;
                    flood.warning(now)
                }
                Event::End => flood.end(now),
            };
            counted += written.map_or(0, u64::from);
        }
        prop_assert_eq!(counted + flood.close().map_or(0, u64::from), warnings);
        prop_assert_eq!(flood.close(), None);
    }

    #[test]
    fn a_flood_writes_two_lines_a_minute(events in events(), start in any::<u32>()) {
        let (mut flood, start) = (Flood::default(), i64::from(start));
        let (mut now, mut lines) = (start, 0);
        for (event, pause) in events {
            now += pause;
            let written = match event {
                Event::Warning => flood.warning(now),
                Event::End => flood.end(now),
            };
            lines += i64::from(written.is_some());
            let minutes = (now - start) / MINUTE;
            prop_assert!(lines <= i64::from(Flood::FIRST) + 1 + 2 * minutes, "{} lines", lines);
        }
    }
}

#[test]
fn the_first_are_written_the_rest_when_the_transaction_ends() {
    let mut flood = Flood::default();
    let written = (0..1_000_000).filter(|_| flood.warning(7) == std::num::NonZeroU64::new(1));
    assert_eq!(written.count(), 5);
    assert_eq!(flood.end(8).map(u64::from), Some(999_995));
    // The next transactions of the same minute wait for it to be over.
    assert_eq!((flood.warning(9), flood.end(9)), (None, None));
    assert_eq!((flood.warning(10), flood.end(10)), (None, None));
    assert_eq!(flood.end(8 + MINUTE).map(u64::from), Some(2));
    assert_eq!(flood.end(8 + 2 * MINUTE), None);
}

#[test]
fn a_long_transaction_is_heard_of_every_minute() {
    let mut flood = Flood::default();
    let lines = (0..600).filter_map(|second| flood.warning(second * MINUTE / 60)).map(u64::from);
    assert_eq!(lines.collect::<Vec<_>>(), [1, 1, 1, 1, 1, 56, 60, 60, 60, 60, 60, 60, 60, 60]);
}

#[test]
fn quiet_minutes_give_back_no_more_than_the_first_ones() {
    let mut flood = Flood::default();
    for now in [0, 100 * MINUTE] {
        let lines = (0..100).filter_map(|_| flood.warning(now)).map(u64::from);
        assert_eq!(lines.count(), 5);
        flood.close();
    }
}
