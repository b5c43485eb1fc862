//! How long writes were out, and what of it was ours.

use serde::Serialize;
use snowflake_cluster::Ledger;

use super::{
    cluster::SIZE,
    rounds::{Event, Round},
};

const NANOS_PER_MILLI: f64 = 1e6;

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
    /// Without any reply to any client: what they notice.
    pub clients_outage_ms: f64,
    /// Up to the first write without an ID on the new leader: Patroni's own.
    pub outage_without_ids_ms: f64,
    /// Up to the first write with an ID.
    pub outage_with_ids_ms: f64,
    /// From the first write without to the first write with an ID.
    pub added_ms: f64,
    /// From the first write without an ID to another one without: what the measurement cannot tell.
    pub noise_ms: f64,
}

/// The figures of every round, in order; the ledger is that of the load alone.
#[must_use]
pub fn of_rounds(rounds: &[Round], ledger: &Ledger) -> Vec<Figures> {
    let mut replies: Vec<_> = ledger.replies().map(|(at, _)| at).collect();
    replies.sort_unstable();
    let ends = rounds.iter().skip(1).map(|next| next.began).chain([u64::MAX]);
    rounds.iter().zip(ends).map(|(round, end)| of_round(round, end, &replies)).collect()
}

fn of_round(round: &Round, end: u64, replies: &[u64]) -> Figures {
    let (last, next) = outage(replies, round.began, end);
    let [a, b] = round.first.plain;
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
    }
}

/// The longest time without a reply that ends between these two stamps.
fn outage(replies: &[u64], began: u64, end: u64) -> (u64, u64) {
    let pairs = replies.windows(2).map(|pair| (pair[0], pair[1]));
    let during = pairs.filter(|&(_, next)| began < next && next < end);
    during.max_by_key(|(last, next)| next - last).unwrap_or((began, began))
}

/// The smallest, the middle and the largest.
#[must_use]
pub fn spread(values: impl Iterator<Item = f64>) -> Option<[f64; 3]> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    Some([*values.first()?, values[values.len() / 2], *values.last()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_the_longest_silence_of_its_round() {
        let replies = [0, 10, 20, 90, 95, 300, 310];
        assert_eq!(outage(&replies, 15, 200), (20, 90));
        assert_eq!(outage(&replies, 200, u64::MAX), (95, 300));
        assert_eq!(outage(&[], 5, 9), (5, 5));
    }

    #[test]
    fn a_spread_is_least_middle_greatest() {
        assert_eq!(spread([3.0, 1.0, 2.0].into_iter()), Some([1.0, 2.0, 3.0]));
        assert_eq!(spread(std::iter::empty()), None);
    }
}
