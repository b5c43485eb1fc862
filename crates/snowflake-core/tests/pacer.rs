//! The pacer under any number of callers and any clock, in simulated time.
#![cfg(not(loom))]
#![allow(missing_docs, clippy::unwrap_used)]

use proptest::prelude::*;
use snowflake_core::{Clocks, Epoch, Generator, Layout, Node, Pacer, Space, Tick, Ticker};

const MILLI: i64 = 1_000;
const SECOND: i64 = 1_000 * MILLI;
/// 2027-01-15, well after the default epoch, in microseconds since 1970.
const START: i64 = 1_800_000_000 * SECOND;

/// What a session does between two looks at the clock.
#[derive(Clone, Copy)]
enum Session {
    /// Asks for an ID at this (monotonic) time.
    Asks(i64),
    /// Waits until this time to look whether the next tick is due, holding no ticket.
    Looks(i64, Tick),
    /// Waits until this time with a ticket in its hand.
    Holds(i64, Tick),
}

/// Sessions that share a counter and a pacer, and the two clocks.
struct Server {
    generator: Generator,
    ticker: Ticker,
    pacer: Pacer,
    sessions: Vec<Session>,
    max_drift: i64,
    monotonic: i64,
    /// Wall clock since 1970 minus monotonic clock: changes only by steps.
    wall_offset: i64,
}

impl Server {
    fn new(sequence_bits: u32, sessions: usize, max_drift_millis: i64) -> Self {
        let layout = Layout::new(5, 5, sequence_bits).unwrap();
        let space = Space { layout, epoch: Epoch::default() };
        Self {
            generator: Generator::new(space, Node::default()).unwrap(),
            ticker: Ticker::default(),
            pacer: Pacer::default(),
            sessions: vec![Session::Asks(0); sessions],
            max_drift: max_drift_millis * MILLI,
            monotonic: 0,
            wall_offset: START,
        }
    }

    fn clocks(&self) -> Clocks {
        let epoch = Epoch::default().unix_millis() * MILLI;
        Clocks { wall: self.wall() - epoch, monotonic: self.monotonic }
    }

    /// Wall clock since 1970.
    fn wall(&self) -> i64 {
        self.monotonic + self.wall_offset
    }

    /// Start of a tick's millisecond, since 1970.
    fn time(&self, tick: Tick) -> i64 {
        (self.generator.millis(tick).cast_signed() + Epoch::default().unix_millis()) * MILLI
    }

    /// Beyond what the ID clock is due, sessions hold at most a ticket each.
    fn slack(&self) -> i64 {
        let bits = self.generator.layout().bits(snowflake_core::Section::Sequence);
        ((self.sessions.len() as i64 >> bits) + 10) * MILLI
    }

    fn wait(&self, tick: Tick) -> i64 {
        let start = |tick| self.generator.millis(tick).cast_signed() * MILLI;
        let id_clock = start(self.ticker.peek());
        self.pacer.wait(start(tick), id_clock, self.clocks(), self.max_drift, self.slack())
    }

    /// Lets the session that wakes up first do its next step; `delays` has how long each step
    /// takes and how late each wake-up is. Returns the tick that was returned to a client, if any.
    fn step(&mut self, delays: &mut impl Iterator<Item = i64>) -> Option<Tick> {
        let due = |session: &Session| match *session {
            Session::Asks(at) | Session::Looks(at, _) | Session::Holds(at, _) => at,
        };
        let index = (0..self.sessions.len()).min_by_key(|&i| due(&self.sessions[i])).unwrap();
        self.monotonic = self.monotonic.max(due(&self.sessions[index]));
        let millis = |micros: i64| micros + delays.next().unwrap();
        let (session, returned) = self.next(self.sessions[index], millis);
        self.sessions[index] = session;
        returned
    }

    fn next(&self, session: Session, mut later: impl FnMut(i64) -> i64) -> (Session, Option<Tick>) {
        let wake = |wait| self.monotonic + wait;
        match session {
            Session::Looks(_, tick) => match self.wait(tick) {
                0 => (self.take(wake), None),
                wait => (Session::Looks(wake(later(wait)), tick), None),
            },
            Session::Holds(_, tick) => match self.wait(tick) {
                0 => (Session::Asks(wake(later(0))), Some(tick)),
                wait => (Session::Holds(wake(later(wait)), tick), None),
            },
            Session::Asks(_) => {
                let next = self.ticker.peek();
                if next >= self.limit() {
                    return (Session::Looks(self.monotonic, next), None);
                }
                (self.take(wake), None)
            }
        }
    }

    fn take(&self, wake: impl Fn(i64) -> i64) -> Session {
        let tick = self.ticker.take(self.floor());
        // Within the limit the wait is 0, so one path serves both.
        Session::Holds(wake(0), tick)
    }

    fn floor(&self) -> Tick {
        self.generator.floor(&self.ticker, self.wall().div_euclid(MILLI)).unwrap()
    }

    fn limit(&self) -> Tick {
        self.generator.limit(self.floor(), (self.max_drift / MILLI) as u32)
    }
}

/// Delays of up to `max` microseconds, repeated for ever.
fn endless(delays: Vec<i64>) -> impl Iterator<Item = i64> {
    delays.into_iter().cycle()
}

fn delays() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(prop_oneof![8 => 0..5_i64, 2 => 0..1_500_i64, 1 => 0..20_000_i64], 100)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn load_never_pushes_the_id_clock_beyond_max_drift(
        bits in 0..13_u32, sessions in 1..300_usize, max_drift in 0..50_i64, delays in delays()
    ) {
        let mut server = Server::new(bits, sessions, max_drift);
        let mut delays = endless(delays);
        for _ in 0..20_000 {
            if let Some(tick) = server.step(&mut delays) {
                prop_assert!(server.time(tick) - server.wall() <= server.max_drift);
            }
        }
    }

    #[test]
    fn after_a_step_back_the_id_clock_gains_nothing_on_real_time(
        bits in 0..13_u32, sessions in 1..100_usize, max_drift in 0..50_i64, delays in delays(),
        step in prop_oneof![60 * SECOND..86_400 * SECOND, SECOND..60 * SECOND]
    ) {
        let mut server = Server::new(bits, sessions, max_drift);
        let mut delays = endless(delays);
        let mut greatest = 0;
        for _ in 0..5_000 {
            greatest = server.step(&mut delays).map_or(greatest, |tick| tick.max(greatest));
        }
        server.wall_offset -= step;
        let (clock, monotonic) = (server.time(server.ticker.peek()), server.monotonic);
        // Tickets in hand when the clock steps were issued under the old one.
        let in_hand = ((sessions as i64 >> bits) + 1) * MILLI;
        for _ in 0..20_000 {
            if let Some(tick) = server.step(&mut delays) {
                let gained = (server.time(tick) - clock) - (server.monotonic - monotonic);
                let wall_line = server.wall() + server.max_drift;
                prop_assert!(
                    gained <= Pacer::BURST + in_hand + MILLI || server.time(tick) <= wall_line,
                    "gained {gained} us"
                );
            }
        }
    }

    #[test]
    fn ids_flow_after_a_step_back(
        bits in 4..13_u32, sessions in 1..100_usize, max_drift in 0..5_000_i64,
        step in 0..86_400 * SECOND
    ) {
        let mut server = Server::new(bits, sessions, max_drift);
        let mut delays = endless(vec![1]);
        while server.step(&mut delays).is_none() {}
        server.wall_offset -= step;
        let before = server.monotonic;
        while server.step(&mut delays).is_none() {}
        // The step may be one that load could have caused; then the wait is short.
        prop_assert!(server.monotonic - before <= server.slack() + 2 * MILLI);
    }
}

#[test]
fn a_full_load_gets_every_tick_of_real_time() {
    let mut server = Server::new(4, 20, 10);
    let mut delays = endless(vec![0, 1, 700]);
    let mut returned = 0;
    while server.monotonic < 2 * SECOND {
        returned += i64::from(server.step(&mut delays).is_some());
    }
    let offered = 16 * (server.monotonic + server.max_drift) / MILLI;
    assert!(returned * 100 >= offered * 99, "{returned} of {offered}");
}

#[test]
fn drift_heals_by_itself() {
    let mut server = Server::new(4, 4, 1_000);
    let mut delays = endless(vec![1]);
    for _ in 0..50_000 {
        server.step(&mut delays);
    }
    server.wall_offset -= 3_600 * SECOND;
    for _ in 0..50_000 {
        server.step(&mut delays);
    }
    assert!(server.time(server.ticker.peek()) > server.wall() + 3_000 * SECOND);
    // An hour without load: the wall clock has caught up, and old credit does not count.
    server.monotonic += 3_700 * SECOND;
    for session in &mut server.sessions {
        *session = Session::Asks(server.monotonic);
    }
    for _ in 0..50_000 {
        if let Some(tick) = server.step(&mut delays) {
            let drift = server.time(tick) - server.wall();
            assert!(drift <= server.max_drift + Pacer::BURST + MILLI, "{drift} us");
        }
    }
}

#[test]
fn credit_is_not_saved_up() {
    let pacer = Pacer::default();
    let wait =
        |id, wall, monotonic| pacer.wait(id, id, Clocks { wall, monotonic }, SECOND, 10 * MILLI);
    // The clock has gone back by an hour: the ID clock goes on from where it is.
    let id = 7_200 * SECOND;
    assert_eq!(wait(id, 3_600 * SECOND, 0), 0);
    assert_eq!(wait(id + MILLI, 3_600 * SECOND, 0), MILLI);
    // Ten idle minutes later a burst gets BURST ahead, not ten minutes.
    let (wall, monotonic) = (4_200 * SECOND, 600 * SECOND);
    assert_eq!(wait(id, wall, monotonic), 0);
    assert_eq!(wait(id + Pacer::BURST, wall, monotonic), 0);
    assert_eq!(wait(id + Pacer::BURST + MILLI, wall, monotonic), MILLI);
}
