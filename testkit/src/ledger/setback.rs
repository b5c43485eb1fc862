//! Order across servers, whose clocks need not agree.

use super::{Ledger, Request};

/// How far, at most, an ID lies before one that had been returned before it was asked for, from
/// whichever server; `time` tells where an ID lies. At most 0 when none does; None when no request
/// came after another.
#[must_use]
pub fn setback(ledgers: &[Ledger], time: impl Fn(i64) -> i64) -> Option<i64> {
    let sessions = ledgers.iter().flat_map(|ledger| &ledger.sessions);
    let mut by_asking: Vec<Request> =
        sessions.flat_map(|session| session.requests.iter().copied()).collect();
    let mut by_return = by_asking.clone();
    by_return.sort_unstable_by_key(|request| request.returned_at);
    by_asking.sort_unstable_by_key(|request| request.asked_at);
    let mut returned = by_return.into_iter().peekable();
    let (mut latest, mut worst) = (None, None);
    for request in by_asking {
        while let Some(earlier) = returned.next_if(|earlier| earlier.returned_at < request.asked_at)
        {
            latest = latest.max(Some(time(earlier.max)));
        }
        worst = worst.max(latest.map(|latest| latest - time(request.min)));
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::{super::Session, *};

    /// A server's ledger from `(asked_at, returned_at, id)`.
    fn ledger(requests: &[(u64, u64, i64)]) -> Ledger {
        let mut session = Session::new("a");
        for &(asked_at, returned_at, id) in requests {
            session.ids.push(id);
            session.record(asked_at, returned_at, session.ids.len() - 1);
        }
        Ledger::from_iter([session])
    }

    fn tens(id: i64) -> i64 {
        id / 10
    }

    #[test]
    fn a_server_that_lags_behind_another_sets_time_back() {
        let ahead = ledger(&[(0, 1, 101), (6, 7, 205)]);
        let behind = ledger(&[(2, 3, 72), (8, 9, 194)]);
        assert_eq!(setback(&[ahead, behind], tens), Some(3));
    }

    #[test]
    fn requests_that_overlap_set_nothing_back() {
        let servers = [ledger(&[(0, 3, 500)]), ledger(&[(2, 4, 100)])];
        assert_eq!(setback(&servers, tens), None);
    }

    #[test]
    fn orderly_servers_have_none() {
        let servers = [ledger(&[(0, 1, 100), (4, 5, 121)]), ledger(&[(2, 3, 113)])];
        assert_eq!(setback(&servers, tens), Some(-1));
    }
}
