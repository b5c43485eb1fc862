//! Every interleaving of sessions at the shared counter and the pacer, by loom.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test -p snowflake-core --release --test loom`.
#![cfg(loom)]
#![allow(missing_docs, clippy::unwrap_used)]

use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use snowflake_core::{Clocks, Lease, Pacer, Tick, Ticker};
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
