//! Every interleaving of sessions at the shared counter and the pacer, by loom.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test -p snowflake-core --release --test loom`.
#![cfg(loom)]
#![allow(missing_docs, clippy::unwrap_used)]

use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use snowflake_core::{Clocks, Generator, Layout, Lease, Node, Pacer, Space, Tick, Ticker};
use std::collections::BTreeSet;

/// Runs one thread per list of floors; each takes a ticket per floor.
fn take_all(start: Tick, threads: &'static [&'static [Tick]]) {
    take_all_with(&Builder::new(), start, threads);
}

fn take_all_with(model: &Builder, start: Tick, threads: &'static [&'static [Tick]]) {
    model.check(move || {
        let ticker = Arc::new(Ticker::default());
        ticker.raise(start);
        let handles: Vec<_> = threads
            .iter()
            .map(|floors| {
                let ticker = Arc::clone(&ticker);
                thread::spawn(move || floors.iter().map(|&floor| ticker.take(floor)).collect())
            })
            .collect();
        let taken: Vec<Vec<Tick>> =
            handles.into_iter().map(|handle| handle.join().unwrap()).collect();
        let distinct: BTreeSet<_> = taken.iter().flatten().collect();
        assert_eq!(distinct.len(), taken.iter().map(Vec::len).sum::<usize>(), "distinct");
        for (ticks, floors) in taken.iter().zip(threads) {
            assert!(ticks.is_sorted_by(|a, b| a < b), "each thread increases");
            assert!(ticks.iter().zip(*floors).all(|(tick, floor)| tick >= floor), "not below");
        }
        assert!(ticker.peek() > **distinct.last().unwrap(), "the next ticket is a new one");
    });
}

#[test]
fn two_threads_in_one_millisecond() {
    take_all(0, &[&[16, 16], &[16, 16]]);
}

#[test]
fn two_threads_see_different_milliseconds() {
    take_all(0, &[&[16, 32], &[32, 16]]);
}

#[test]
fn two_threads_with_a_counter_ahead_of_the_clock() {
    take_all(100, &[&[16, 16], &[32, 32]]);
}

/// All interleavings of three threads take longer than anybody waits; those with up to three
/// forced switches take seconds.
fn bounded() -> Builder {
    let mut model = Builder::new();
    model.preemption_bound = Some(3);
    model
}

#[test]
fn three_threads() {
    take_all_with(&bounded(), 0, &[&[16, 32], &[16], &[32]]);
}

#[test]
fn what_was_returned_before_is_smaller() {
    loom::model(|| {
        let ticker = Arc::new(Ticker::default());
        let other = {
            let ticker = Arc::clone(&ticker);
            thread::spawn(move || ticker.take(16))
        };
        let first = ticker.take(32);
        let second = ticker.take(16);
        assert!(second > first);
        let other = other.join().unwrap();
        assert!(ticker.take(0) > other.max(second));
    });
}

/// A generator with four tickets a millisecond.
fn generator() -> Generator {
    let space = Space { layout: Layout::new(5, 5, 2).unwrap(), ..Space::default() };
    Generator::new(space, Node::default()).unwrap()
}

/// The tickets of a run within one millisecond, if there is room below the limit.
fn claim(ticker: &Ticker, n: u64, limit: Tick) -> Vec<Tick> {
    let generator = generator();
    let first = ticker.claim(n, limit, |tick| generator.start_of_run(tick, n));
    let run: Vec<_> = first.map_or(0..0, |first| first..first + n).collect();
    assert!(run.iter().all(|&tick| generator.millis(tick) == generator.millis(run[0])));
    run
}

#[test]
fn one_thread_takes_what_another_does_not_claim() {
    loom::model(|| {
        let ticker = Arc::new(Ticker::default());
        let other = {
            let ticker = Arc::clone(&ticker);
            thread::spawn(move || [claim(&ticker, 3, 100), claim(&ticker, 2, 100)].concat())
        };
        let taken = [ticker.take(1), ticker.take(4), ticker.take(1)];
        let claimed = other.join().unwrap();
        assert_eq!(claimed.len(), 5);
        assert!(taken.is_sorted_by(|a, b| a < b) && claimed.is_sorted_by(|a, b| a < b));
        let distinct: BTreeSet<_> = claimed.iter().chain(&taken).collect();
        assert_eq!(distinct.len(), 8);
        assert!(ticker.peek() > **distinct.last().unwrap(), "the next ticket is a new one");
    });
}

/// Who has heard of another session's ticket gets greater ones only, whoever claims and whoever
/// takes.
#[test]
fn what_was_returned_before_a_run_is_smaller_and_after_it_greater() {
    loom::model(|| {
        let ticker = Arc::new(Ticker::default());
        // The end of what was returned.
        let returned = Arc::new(AtomicU64::new(0));
        let session = |claims: bool| {
            let (ticker, returned) = (Arc::clone(&ticker), Arc::clone(&returned));
            move || {
                let heard = returned.load(Ordering::Acquire);
                let run = if claims { claim(&ticker, 2, 100) } else { vec![ticker.take(1)] };
                assert!(run[0] >= heard);
                returned.fetch_max(run[run.len() - 1] + 1, Ordering::Release);
            }
        };
        let other = thread::spawn(session(true));
        session(false)();
        other.join().unwrap();
    });
}

#[test]
fn two_threads_never_claim_beyond_the_limit() {
    loom::model(|| {
        let ticker = Arc::new(Ticker::default());
        let claims = |ticker: &Ticker| [claim(ticker, 3, 8), claim(ticker, 2, 8)].concat();
        let other = {
            let ticker = Arc::clone(&ticker);
            thread::spawn(move || claims(&ticker))
        };
        let all = [claims(&ticker), other.join().unwrap()].concat();
        let distinct: BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert!(all.iter().all(|&tick| tick < 8) && ticker.peek() <= 8);
        assert!(all.len() >= 6, "refused only where there is no room");
    });
}

#[test]
fn a_claim_against_a_raised_floor_lies_on_one_side_of_it() {
    loom::model(|| {
        let ticker = Arc::new(Ticker::default());
        let other = {
            let ticker = Arc::clone(&ticker);
            thread::spawn(move || ticker.raise(6))
        };
        let run = claim(&ticker, 4, 100);
        assert!(run[0] == 0 || run[0] == 8, "{run:?}");
        other.join().unwrap();
        assert!(ticker.take(0) > run[3].max(5));
    });
}

/// Two sessions find a clock that stepped back at the same time: both go on, and the line that
/// they leave behind is one that the later ID justifies.
#[test]
fn two_threads_find_a_step_back() {
    loom::model(|| {
        let pacer = Arc::new(Pacer::default());
        let clocks = Clocks { wall: 0, monotonic: 0 };
        let wait = move |pacer: &Pacer, start| pacer.wait(start, 1_001_000, clocks, 5_000, 10_000);
        let other = {
            let pacer = Arc::clone(&pacer);
            thread::spawn(move || wait(&pacer, 1_000_000))
        };
        assert!(wait(&pacer, 1_001_000) == 0);
        assert!(other.join().unwrap() == 0);
        assert!(wait(&pacer, 1_001_000) == 0);
        assert_eq!(wait(&pacer, 1_002_000), 1_000);
    });
}

/// What sessions and the keeper share, and a disk whose content only a later crash would show.
#[derive(Default)]
struct Server {
    ticker: Ticker,
    lease: Lease,
    disk: AtomicU64,
}

impl Server {
    /// One renewal at a time, as the lock of the extension has it.
    fn renew(&self, end: Tick) {
        self.disk.store(end, Ordering::Relaxed);
        self.lease.extend(end);
    }

    /// A ticket, if the lease in force covers it; what is on disk by then covers it too.
    fn issue(&self, floor: Tick) -> Option<Tick> {
        let limit = self.lease.end();
        let tick = self.ticker.take(floor);
        (tick < limit).then(|| {
            assert!(tick < self.disk.load(Ordering::Relaxed), "returned beyond the durable end");
            tick
        })
    }
}

#[test]
fn no_id_at_or_past_the_durable_end_is_returned() {
    bounded().check(|| {
        let server = Arc::new(Server::default());
        let keeper = {
            let server = Arc::clone(&server);
            thread::spawn(move || {
                server.renew(2);
                server.renew(4);
            })
        };
        let session = {
            let server = Arc::clone(&server);
            thread::spawn(move || [server.issue(1), server.issue(1)])
        };
        let ours = server.issue(2);
        let theirs = session.join().unwrap();
        keeper.join().unwrap();
        let returned: Vec<_> = theirs.into_iter().chain([ours]).flatten().collect();
        let distinct: BTreeSet<_> = returned.iter().collect();
        assert_eq!(distinct.len(), returned.len());
        assert!(returned.iter().all(|&tick| tick < server.lease.end()));
    });
}
