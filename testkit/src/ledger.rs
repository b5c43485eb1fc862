//! What clients were given, and whether it keeps the promise.
//!
//! A [`Session`] notes the requests of one client; a [`Ledger`] looks at all sessions together:
//!
//! - **Distinct**: no ID was returned twice.
//! - **Increasing**: the IDs of a session only ever increase.
//! - **Returned before asked**: when one request had been answered before another, in whichever
//!   session, was made, every ID of the first is smaller than every ID of the second.
//!
//! Across servers the last one holds as far as their clocks agree: [`setback`].

mod setback;

use std::{
    fmt,
    ops::RangeInclusive,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use nix::time::{ClockId, clock_gettime};

pub use setback::setback;

/// The next stamp of one clock for the whole process: nanoseconds of the monotonic clock, pushed on
/// where two would be equal. A smaller one was taken earlier.
pub fn stamp() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = monotonic_nanos();
    let next = |last: u64| now.max(last + 1);
    next(
        LAST.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(next(last))).unwrap_or(0),
    )
}

fn monotonic_nanos() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every Linux has a monotonic clock");
    u64::try_from(Duration::from(now).as_nanos()).expect("it starts with the machine")
}

/// One answered request for IDs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Request {
    asked_at: u64,
    returned_at: u64,
    min: i64,
    max: i64,
}

/// The IDs that one client was given, in the order it was given them.
#[derive(Debug)]
pub struct Session {
    name: String,
    ids: Vec<i64>,
    requests: Vec<Request>,
}

impl Session {
    /// A session that has asked for nothing yet; `name` is for the report.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ids: Vec::new(), requests: Vec::new() }
    }

    /// Makes one request and notes its IDs; a request that fails was given none.
    pub fn request<E>(&mut self, ask: impl FnOnce() -> Result<Vec<i64>, E>) -> Result<(), E> {
        self.receive(|ids| {
            ids.append(&mut ask()?);
            Ok(())
        })
    }

    /// Makes one request that appends its IDs as they arrive. Those that had arrived before it
    /// failed were returned as well.
    pub fn receive<E>(
        &mut self,
        ask: impl FnOnce(&mut Vec<i64>) -> Result<(), E>,
    ) -> Result<(), E> {
        let before = self.ids.len();
        let asked_at = stamp();
        let result = ask(&mut self.ids);
        self.record(asked_at, stamp(), before);
        result
    }

    /// Notes the request that brought the IDs from the one at `first` on.
    fn record(&mut self, asked_at: u64, returned_at: u64, first: usize) {
        let ids = &self.ids[first..];
        if let (Some(&min), Some(&max)) = (ids.iter().min(), ids.iter().max()) {
            self.requests.push(Request { asked_at, returned_at, min, max });
        }
    }

    /// The stamp of the last request that was given IDs.
    pub(crate) fn asked_last_at(&self) -> u64 {
        self.requests.last().map_or(0, |request| request.asked_at)
    }

    /// The IDs so far, in the order they came.
    #[must_use]
    pub fn ids(&self) -> &[i64] {
        &self.ids
    }
}

/// The first broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The ID was returned twice.
    Duplicate(i64),
    /// A session was given the second ID right after the first.
    Decrease(String, i64, i64),
    /// The first ID had been returned to its client before the second one was asked for.
    Inversion(i64, i64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate(id) => write!(f, "{id} was returned twice"),
            Self::Decrease(session, before, after) => {
                write!(f, "session {session} was given {after} after {before}")
            }
            Self::Inversion(earlier, later) => write!(
                f,
                "{later} was asked for after {earlier} had been returned, and is not greater"
            ),
        }
    }
}

impl std::error::Error for Fault {}

/// All sessions of one server.
#[derive(Debug, Default)]
pub struct Ledger {
    sessions: Vec<Session>,
}

impl FromIterator<Session> for Ledger {
    fn from_iter<I: IntoIterator<Item = Session>>(sessions: I) -> Self {
        Self { sessions: sessions.into_iter().collect() }
    }
}

impl Extend<Session> for Ledger {
    fn extend<I: IntoIterator<Item = Session>>(&mut self, sessions: I) {
        self.sessions.extend(sessions);
    }
}

impl Ledger {
    /// The IDs of all sessions, session by session.
    pub fn ids(&self) -> impl Iterator<Item = i64> + '_ {
        self.sessions.iter().flat_map(|session| session.ids.iter().copied())
    }

    /// How many IDs there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.sessions.iter().map(|session| session.ids.len() as u64).sum()
    }

    /// The smallest and the largest ID.
    #[must_use]
    pub fn range(&self) -> Option<RangeInclusive<i64>> {
        let requests = || self.sessions.iter().flat_map(|session| &session.requests);
        let min = requests().map(|request| request.min).min()?;
        let max = requests().map(|request| request.max).max()?;
        Some(min..=max)
    }

    /// When each reply had come, as a [`stamp`], and its largest ID; in no particular order.
    pub fn replies(&self) -> impl Iterator<Item = (u64, i64)> + '_ {
        let requests = self.sessions.iter().flat_map(|session| &session.requests);
        requests.map(|request| (request.returned_at, request.max))
    }

    /// Looks for the first broken promise.
    pub fn check(&self) -> Result<(), Fault> {
        for session in &self.sessions {
            increasing(session)?;
        }
        distinct(self.ids())?;
        let requests = self.sessions.iter().flat_map(|session| &session.requests);
        returned_before_asked(requests.copied().collect())
    }
}

fn increasing(session: &Session) -> Result<(), Fault> {
    // Equal neighbours are for `distinct` to name.
    match session.ids.windows(2).find(|pair| pair[1] < pair[0]) {
        Some(pair) => Err(Fault::Decrease(session.name.clone(), pair[0], pair[1])),
        None => Ok(()),
    }
}

/// Refuses IDs that occur twice, in one ledger or across the ledgers of several servers.
pub fn distinct(ids: impl Iterator<Item = i64>) -> Result<(), Fault> {
    let mut ids: Vec<_> = ids.collect();
    // The stable sort merges what is sorted already, and that is what sessions were given.
    ids.sort();
    match ids.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Fault::Duplicate(pair[0])),
        None => Ok(()),
    }
}

/// How often one is the same as another before it.
pub fn repeated<T: Ord>(ids: impl Iterator<Item = T>) -> usize {
    let mut ids: Vec<_> = ids.collect();
    ids.sort();
    ids.windows(2).filter(|pair| pair[0] == pair[1]).count()
}

/// Sweeps the requests in the order they were asked, with the largest ID returned until then.
fn returned_before_asked(mut by_asking: Vec<Request>) -> Result<(), Fault> {
    let mut by_return = by_asking.clone();
    by_return.sort_unstable_by_key(|request| request.returned_at);
    by_asking.sort_unstable_by_key(|request| request.asked_at);
    let mut returned = by_return.into_iter().peekable();
    let mut largest = i64::MIN;
    for request in by_asking {
        while let Some(earlier) = returned.next_if(|earlier| earlier.returned_at < request.asked_at)
        {
            largest = largest.max(earlier.max);
        }
        if request.min <= largest {
            return Err(Fault::Inversion(largest, request.min));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, time::Instant};

    use super::*;
    use crate::poll::DEADLINE;

    /// A session from `(asked_at, returned_at, ids)`.
    fn session(name: &str, requests: &[(u64, u64, &[i64])]) -> Session {
        let mut session = Session::new(name);
        for &(asked_at, returned_at, ids) in requests {
            let before = session.ids.len();
            session.ids.extend_from_slice(ids);
            session.record(asked_at, returned_at, before);
        }
        session
    }

    fn check<const N: usize>(sessions: [Session; N]) -> Result<(), Fault> {
        sessions.into_iter().collect::<Ledger>().check()
    }

    #[test]
    fn orderly_ids_pass() {
        let a = session("a", &[(0, 3, &[1, 5]), (6, 7, &[9])]);
        let b = session("b", &[(1, 2, &[2, 4]), (4, 5, &[]), (8, 9, &[10])]);
        assert_eq!(check([a, b]), Ok(()));
    }

    #[test]
    fn requests_that_overlap_may_be_answered_in_any_order() {
        let a = session("a", &[(0, 3, &[5])]);
        let b = session("b", &[(1, 2, &[4]), (4, 5, &[6])]);
        assert_eq!(check([a, b]), Ok(()));
    }

    #[test]
    fn a_duplicate_is_caught_within_and_across_sessions() {
        let twice = session("a", &[(0, 1, &[7, 7])]);
        assert_eq!(check([twice]), Err(Fault::Duplicate(7)));
        let a = session("a", &[(0, 3, &[1, 7])]);
        let b = session("b", &[(1, 2, &[2, 7])]);
        assert_eq!(check([a, b]), Err(Fault::Duplicate(7)));
    }

    #[test]
    fn a_decrease_is_caught_within_and_between_requests() {
        let within = session("a", &[(0, 1, &[1, 3, 2])]);
        assert_eq!(check([within]), Err(Fault::Decrease("a".into(), 3, 2)));
        let between = session("b", &[(0, 1, &[1, 3]), (2, 3, &[2])]);
        assert_eq!(check([between]), Err(Fault::Decrease("b".into(), 3, 2)));
    }

    #[test]
    fn an_inversion_across_sessions_is_caught() {
        let a = session("a", &[(0, 1, &[10, 20]), (6, 7, &[30])]);
        let b = session("b", &[(2, 5, &[19])]);
        assert_eq!(check([a, b]), Err(Fault::Inversion(20, 19)));
    }

    #[test]
    fn an_inversion_behind_a_smaller_late_return_is_caught() {
        let a = session("a", &[(0, 1, &[50])]);
        let b = session("b", &[(0, 2, &[10])]);
        let c = session("c", &[(3, 4, &[40])]);
        assert_eq!(check([a, b, c]), Err(Fault::Inversion(50, 40)));
    }

    #[test]
    fn requests_are_stamped_as_they_are_made() {
        let mut a = Session::new("a");
        let mut b = Session::new("b");
        let ok = Ok::<_, Infallible>;
        assert_eq!(a.request(|| ok(vec![2])), Ok(()));
        assert_eq!(b.request(|| ok(vec![1])), Ok(()));
        assert_eq!(a.ids(), [2]);
        assert_eq!(check([a, b]), Err(Fault::Inversion(2, 1)));
    }

    #[test]
    fn sessions_that_join_a_ledger_are_checked_with_the_others() {
        let mut ledger: Ledger = [session("a", &[(0, 1, &[7])])].into_iter().collect();
        assert_eq!(ledger.check(), Ok(()));
        ledger.extend([session("b", &[(2, 3, &[6])])]);
        assert_eq!(ledger.check(), Err(Fault::Inversion(7, 6)));
    }

    #[test]
    fn a_failed_request_was_given_nothing() {
        let mut a = Session::new("a");
        assert_eq!(a.request(|| Err("gone")), Err("gone"));
        assert_eq!(a.ids(), [0; 0]);
        assert_eq!(check([a]), Ok(()));
    }

    #[test]
    fn what_arrived_before_the_failure_was_given() {
        let [mut a, mut b] = ["a", "b"].map(Session::new);
        let broken = a.receive(|ids| {
            ids.extend([3, 4]);
            Err("broken")
        });
        assert_eq!(broken, Err("broken"));
        assert_eq!(b.request(|| Ok::<_, Infallible>(vec![4])), Ok(()));
        assert_eq!(check([a, b]), Err(Fault::Duplicate(4)));
    }

    #[test]
    fn a_million_requests_are_not_compared_each_with_each() {
        let start = Instant::now();
        let sessions = (0..8_i64).map(|name| {
            let mut session = Session::new(name.to_string());
            for i in 0..125_000 {
                let id = i * 8 + name;
                let at = u64::try_from(id).unwrap() * 2;
                session.ids.push(id);
                session.record(at, at + 1, session.ids.len() - 1);
            }
            session
        });
        assert_eq!(sessions.collect::<Ledger>().check(), Ok(()));
        assert!(start.elapsed() < DEADLINE);
    }
}
