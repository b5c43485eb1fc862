//! How long writes were out, and what of it was ours.

use serde::Serialize;
use snowflake_testkit::Ledger;

use super::{
    cluster::SIZE,
    rounds::{Event, Round},
};

const NANOS_PER_MILLI: f64 = 1e6;
/// Of the default layout.
const TIME_SHIFT: u32 = 22;

/// The times of one failover, in milliseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// How the leader went.
    pub event: Event,
    /// Member numbers, from 1.
    pub from: usize,
    /// The new leader.
    pub to: usize,
    /// The members' clocks against the system's, in seconds.
    pub clocks_s: [i64; SIZE],
    /// Without any reply to any client of the load: what they notice.
    pub clients_outage_ms: f64,
    /// Up to the first write without an ID on the new leader: Patroni's own.
    pub outage_without_ids_ms: f64,
    /// Up to the first write with an ID.
    pub outage_with_ids_ms: f64,
    /// From the first write without to the first write with an ID.
    pub added_ms: f64,
    /// From the first write without an ID to another one without: what the measurement cannot tell.
    pub noise_ms: f64,
    /// From the greatest ID before to the smallest after it, by the time in the IDs; none without
    /// replies before and after.
    pub ids_moved_on_by_ms: Option<i64>,
}

/// The figures of every round, in order; the ledger is that of the load alone.
#[must_use]
pub fn of_rounds(rounds: &[Round], ledger: &Ledger) -> Vec<Figures> {
    let mut replies: Vec<_> = ledger.replies().collect();
    replies.sort_unstable();
    let ends = rounds.iter().skip(1).map(|next| next.began).chain([u64::MAX]);
    rounds.iter().zip(ends).map(|(round, end)| of_round(round, end, &replies)).collect()
}

fn of_round(round: &Round, end: u64, replies: &[(u64, i64)]) -> Figures {
    let [a, b] = round.first.plain;
    let (last, next) = outage(replies, round.began, a.max(b).max(round.first.with_id));
    let millis = |from: u64, to: u64| (to as f64 - from as f64) / NANOS_PER_MILLI;
    Figures {
        event: round.event,
        from: round.from + 1,
        to: round.first.leader + 1,
        clocks_s: round.clocks,
        clients_outage_ms: millis(last, next),
        outage_without_ids_ms: millis(last, a.min(b)),
        outage_with_ids_ms: millis(last, round.first.with_id),
        added_ms: millis(a.min(b), round.first.with_id),
        noise_ms: millis(a.min(b), a.max(b)),
        ids_moved_on_by_ms: moved_on_by(replies, last, end).map(|ids| ids >> TIME_SHIFT),
    }
}

/// The longest time without a reply that is not over when it begins, and has begun when the new
/// leader takes writes. (What comes later has other reasons, as that a standby is waited for.)
fn outage(replies: &[(u64, i64)], began: u64, leads: u64) -> (u64, u64) {
    let pairs = replies.windows(2).map(|pair| (pair[0].0, pair[1].0));
    let during = pairs.filter(|&(last, next)| began < next && last < leads);
    during.max_by_key(|(last, next)| next - last).unwrap_or((began, began))
}

/// From the greatest ID up to the stamp `last` to the smallest between it and `end`.
fn moved_on_by(replies: &[(u64, i64)], last: u64, end: u64) -> Option<i64> {
    let (before, after) = replies.split_at(replies.partition_point(|&(at, _)| at <= last));
    let after = after.iter().take_while(|&&(at, _)| at < end);
    let [greatest, smallest] = [before.iter().map(|it| it.1).max()?, after.map(|it| it.1).min()?];
    Some(smallest - greatest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_the_longest_silence_until_the_new_leader_takes_writes() {
        let replies = [0, 10, 20, 90, 95, 300, 310].map(|at| (at, 0));
        assert_eq!(outage(&replies, 15, 92), (20, 90));
        assert_eq!(outage(&replies, 15, 88), (20, 90));
        assert_eq!(outage(&replies, 200, 290), (95, 300));
        assert_eq!(outage(&[], 5, 9), (5, 5));
    }

    #[test]
    fn ids_that_step_back_in_an_outage_are_seen() {
        let replies = [(0, 7), (1, 9), (2, 8), (50, 12), (51, 11), (90, 3)];
        assert_eq!(moved_on_by(&replies, 2, 90), Some(2));
        assert_eq!(moved_on_by(&replies, 51, 100), Some(-9));
        assert_eq!(moved_on_by(&replies, 90, 100), None);
    }
}
