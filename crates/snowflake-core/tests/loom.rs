//! Every interleaving of processes at what they share, by loom: first at the counter and the pacer alone,
//! then of whole calls of the core, on a host of loom's.
//!
//! The models of whole calls are bounded to three forced switches, or two where there is more to switch between, which takes 40 to 1,100 interleavings and less
//! than a second each; two runs that take turns beyond the drift limit take 22,000 and a few seconds.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test -p snowflake-core --release --test loom`.
#![cfg(loom)]
#![allow(missing_docs, clippy::unwrap_used)]

use loom::model::Builder;
use loom::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;
use snowflake_core::{
    Clocks, Event, FILE_LEN, Failure, Generator, Host, Keeper, Layout, Node, Pacer, Record, Server,
    Space, State, Tick, Ticker,
};
use std::collections::BTreeSet;
use std::time::Duration;

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

/// All interleavings of three threads, or of whole calls, take longer than is worth waiting for; those
/// with up to three forced switches take seconds.
fn bounded() -> Builder {
    switches(3)
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

/// A session that has heard of another session's ticket gets greater ones only, whichever of them claims or takes.
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

/// A millisecond of the default space, at which the clock of a host starts.
const NOW: i64 = 1_800_000_000_000;
const SYSTEM: u64 = 7;

/// A host whose clock stands still unless a session sleeps. Of disk and WAL, the ends of leases are
/// enough: what is on them is read by one process at a time, and checked by all.
struct LoomHost {
    lock: Mutex<()>,
    micros: AtomicI64,
    max_drift_millis: u32,
    is_in_recovery: bool,
    durable: AtomicU64,
    in_wal: AtomicU64,
    on_standbys: AtomicU64,
    /// Whether sessions have the keeper write, which is another thread then.
    has_keeper: AtomicU64,
}

impl Host for LoomHost {
    fn wall_millis(&self) -> i64 {
        self.micros.load(Ordering::Relaxed) / 1_000
    }

    fn clocks(&self) -> [i64; 3] {
        [self.micros.load(Ordering::Relaxed); 3]
    }

    fn max_drift_millis(&self) -> u32 {
        self.max_drift_millis
    }

    fn max_sessions(&self) -> i64 {
        2
    }

    fn is_in_recovery(&self) -> bool {
        self.is_in_recovery
    }

    fn exclusive<T>(&self, work: impl FnOnce() -> T) -> T {
        let _writer = self.lock.lock().unwrap();
        work()
    }

    fn system_identifier(&self) -> u64 {
        SYSTEM
    }

    /// A file of which the newest record is read: of slots, `tests/slots.rs` has seen enough.
    fn read_lease(&self) -> Result<Option<Vec<u8>>, Failure> {
        let mut bytes = vec![0; FILE_LEN];
        // A call of the operating system orders memory.
        let record = record(self.durable.load(Ordering::Acquire)).to_bytes();
        bytes[..Record::LEN].copy_from_slice(&record);
        Ok(Some(bytes))
    }

    fn create_lease(&self, _file: &[u8; FILE_LEN]) -> Result<(), Failure> {
        unreachable!("there is one")
    }

    fn sync_directory(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn write_lease(&self, _offset: u64, bytes: &[u8; Record::LEN]) -> Result<(), Failure> {
        let end = Record::from_bytes(bytes).unwrap().end;
        self.durable.store(end, Ordering::Release);
        Ok(())
    }

    fn write_wal(&self, bytes: &[u8; Record::LEN]) -> u64 {
        let end = Record::from_bytes(bytes).unwrap().end;
        self.in_wal.store(end, Ordering::Relaxed);
        end
    }

    fn wait_for_standbys(&self, end: u64) -> bool {
        self.on_standbys.fetch_max(end, Ordering::Relaxed);
        true
    }

    fn has_keeper(&self) -> bool {
        self.has_keeper.load(Ordering::Relaxed) != 0
    }

    fn wait_for_lease(&self, mut is_over: impl FnMut() -> bool) {
        while !is_over() {
            thread::yield_now();
        }
    }

    fn wake_sessions(&self) {}

    fn sleep(&self, time: Duration) {
        self.micros.fetch_add(time.as_micros() as i64, Ordering::Relaxed);
    }

    fn wake_keeper(&self) {}

    fn log(&self, event: Event) {
        assert!(matches!(event, Event::StartsAhead { .. }), "{event:?}");
    }
}

fn record(end: Tick) -> Record {
    Record { space: generator().space(), node: Node::default(), end, system: SYSTEM, serial: 1 }
}

/// A server, whose processes are threads.
struct World {
    state: State,
    host: LoomHost,
}

impl World {
    fn new(max_drift_millis: u32, durable: Tick) -> Self {
        let host = LoomHost {
            lock: Mutex::new(()),
            micros: AtomicI64::new(NOW * 1_000),
            max_drift_millis,
            is_in_recovery: false,
            durable: AtomicU64::new(durable),
            in_wal: AtomicU64::new(0),
            on_standbys: AtomicU64::new(0),
            has_keeper: AtomicU64::new(0),
        };
        Self { state: State::at_start(&host, 0), host }
    }

    /// One that has issued all but the last few ticks of its lease.
    fn with_left(ticks: u64) -> Self {
        let world = Self::new(10_000, 0);
        world.next();
        let left = world.state.lease_end() - world.state.next();
        world.server().batch(left - ticks).unwrap().for_each(drop);
        world
    }

    fn at_the_end_of_its_lease() -> Self {
        Self::with_left(1)
    }

    fn reserve(&self) -> Tick {
        self.returned(self.server().reserve(3).unwrap() + 2)
    }

    fn server(&self) -> Server<'_, LoomHost> {
        Server { generator: generator(), state: &self.state, host: &self.host }
    }

    fn next(&self) -> Tick {
        self.returned(self.server().next().unwrap())
    }

    /// The tick of an ID that was returned: a crash that comes now does not forget it, and a standby
    /// that has a row with it has replayed the lease.
    fn returned(&self, id: i64) -> Tick {
        let parts = generator().layout().decode(id);
        let tick = parts.timestamp << 2 | u64::from(parts.sequence);
        assert!(tick < self.host.durable.load(Ordering::Relaxed), "beyond the durable end");
        assert!(tick < self.host.in_wal.load(Ordering::Relaxed), "beyond the end in WAL");
        assert!(tick < self.host.on_standbys.load(Ordering::Relaxed), "beyond that of standbys");
        tick
    }
}

/// What two threads do with the world that `new` makes.
fn run<T: 'static>(
    model: &Builder,
    new: fn() -> World,
    [other, ours]: [fn(&World) -> T; 2],
    check: fn(&World, Vec<T>),
) {
    model.check(move || {
        let world = Arc::new(new());
        let theirs = {
            let world = Arc::clone(&world);
            thread::spawn(move || other(&world))
        };
        let ours = ours(&world);
        let all = vec![theirs.join().unwrap(), ours];
        check(&world, all);
    });
}

/// Up to this many forced switches.
fn switches(bound: usize) -> Builder {
    let mut model = Builder::new();
    model.preemption_bound = Some(bound);
    model
}

fn keeper(world: &World) -> Tick {
    Keeper::default().look(&world.server());
    0
}

fn are_distinct(_: &World, mut ticks: Vec<Tick>) {
    ticks.sort_unstable();
    assert!(ticks.is_sorted_by(|a, b| a < b), "{ticks:?}");
}

/// An end of the lease that is ahead of the clock.
fn left_by_a_former_life() -> Tick {
    generator().tick_at(NOW + 500)
}

#[test]
fn two_sessions_start_a_life_above_the_lease_on_disk() {
    let new = || World::new(10_000, left_by_a_former_life());
    run(&switches(2), new, [World::next, World::next], |world, ticks| {
        assert!(ticks.iter().all(|&tick| tick >= left_by_a_former_life()));
        are_distinct(world, ticks);
    });
}

#[test]
fn two_sessions_at_the_end_of_the_lease() {
    run(&switches(3), World::at_the_end_of_its_lease, [World::next, World::next], are_distinct);
}

#[test]
fn a_session_and_the_keeper_at_the_end_of_the_lease() {
    run(&switches(3), World::at_the_end_of_its_lease, [keeper, World::next], are_distinct);
}

/// A session asks the keeper, which looks until it has found that; the other one finds what it needs.
#[test]
fn two_sessions_have_the_keeper_extend_the_lease() {
    switches(2).check(|| {
        let world = World::at_the_end_of_its_lease();
        world.host.has_keeper.store(1, Ordering::Relaxed);
        let world = Arc::new(world);
        let session = {
            let world = Arc::clone(&world);
            thread::spawn(move || world.next())
        };
        let keeper = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                let before = world.state.counts().renewals;
                let mut keeper = Keeper::default();
                while world.state.counts().renewals == before {
                    keeper.look(&world.server());
                    thread::yield_now();
                }
            })
        };
        let ours = world.next();
        let theirs = session.join().unwrap();
        keeper.join().unwrap();
        assert_ne!(ours, theirs);
    });
}

#[test]
fn a_session_and_a_run_of_another_at_the_end_of_the_lease() {
    let threads = [World::reserve, World::next];
    run(&switches(3), World::at_the_end_of_its_lease, threads, are_distinct);
}

/// There is room for one of them, which each finds by itself.
#[test]
fn two_runs_at_the_end_of_the_lease() {
    run(&switches(3), || World::with_left(4), [World::reserve; 2], are_distinct);
}

/// The batch has the lease extended far beyond the counter before it moves that.
#[test]
fn the_keeper_does_not_shorten_the_lease_of_a_batch() {
    let batch =
        |world: &World| world.returned(world.server().batch(6_000).unwrap().last().unwrap());
    run(&switches(3), World::at_the_end_of_its_lease, [keeper, batch], are_distinct);
}

/// Beyond the drift limit there is one run at a time, and none is returned before it is due.
#[test]
fn two_runs_beyond_the_drift_limit_take_turns() {
    let reserve = |world: &World| {
        let last = world.reserve();
        assert!(generator().unix_millis(last) <= world.host.wall_millis(), "not due yet");
        last
    };
    let new = || {
        let world = World::new(0, 0);
        // All of the millisecond that is not beyond the limit.
        world.server().batch(4).unwrap().for_each(drop);
        world
    };
    run(&switches(3), new, [reserve, reserve], |world, ticks| {
        let millis: BTreeSet<_> = ticks.iter().map(|&tick| generator().millis(tick)).collect();
        assert_eq!(millis.len(), 2);
        are_distinct(world, ticks);
    });
}

/// An ID of another server, beyond the lease of one at its end.
fn shown() -> i64 {
    generator().id(generator().tick_at(NOW + 5_000))
}

fn reply(world: &World) -> Tick {
    let id = world.server().next_after(shown()).unwrap();
    assert!(id > shown());
    world.returned(id)
}

/// A crash that comes now does not forget it, nor does a standby that has what is written to WAL after this.
fn witness(world: &World) -> Tick {
    world.server().witness(shown()).unwrap();
    let least = generator().first_tick_beyond(shown());
    assert!(world.host.durable.load(Ordering::Relaxed) >= least);
    assert!(world.host.in_wal.load(Ordering::Relaxed) >= least);
    let id = world.server().next().unwrap();
    assert!(id > shown());
    world.returned(id)
}

#[test]
fn a_session_raises_while_another_takes_tickets() {
    run(&switches(2), World::at_the_end_of_its_lease, [World::next, reply], are_distinct);
}

#[test]
fn a_session_raises_while_the_keeper_extends() {
    run(&switches(2), World::at_the_end_of_its_lease, [keeper, reply], are_distinct);
}

#[test]
fn a_session_witnesses_while_another_takes_tickets() {
    run(&switches(2), World::at_the_end_of_its_lease, [World::next, witness], are_distinct);
}

#[test]
fn a_session_witnesses_while_the_keeper_extends() {
    run(&switches(2), World::at_the_end_of_its_lease, [keeper, witness], are_distinct);
}

/// Who has heard of an ID finds it below the mark; and while the first lease is being written, the mark is not
/// where that ends.
#[test]
fn every_id_that_was_returned_is_below_the_mark() {
    bounded().check(|| {
        let world = Arc::new(World::new(10_000, left_by_a_former_life()));
        let returned = Arc::new(AtomicU64::new(0));
        let session = {
            let (world, returned) = (Arc::clone(&world), Arc::clone(&returned));
            thread::spawn(move || returned.store(world.next(), Ordering::Release))
        };
        let heard = returned.load(Ordering::Acquire);
        let mark = world.server().mark().unwrap();
        assert!(mark > heard);
        session.join().unwrap();
        assert!(mark <= world.state.next());
    });
}

/// What was replayed before a checkpoint is in the standby's own lease when the checkpoint is one to
/// restart from, and the first ID after a promotion lies above it.
#[test]
fn what_was_replayed_is_kept_before_a_checkpoint() {
    const REPLAYED: [i64; 2] = [NOW + 1_000, NOW + 2_000];
    let new = || {
        let mut world = World::new(10_000, 0);
        world.host.is_in_recovery = true;
        world
    };
    let replay = |world: &World| {
        for end in REPLAYED.map(|millis| generator().tick_at(millis)) {
            world.state.note_replayed(&world.host, &record(end));
            world.state.keep_replayed(&world.host).unwrap();
            assert!(world.host.durable.load(Ordering::Relaxed) >= end);
        }
        0
    };
    run(&switches(2), new, [keeper, replay], |world, _| {
        assert!(generator().unix_millis(world.next()) >= REPLAYED[1]);
    });
}
