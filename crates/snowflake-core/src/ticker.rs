//! The shared counter.

use crate::sync::{AtomicU64, Ordering};

/// A packed counter value: `milliseconds since epoch << sequence_bits | sequence`.
pub type Tick = u64;

/// The counter from which every session of a server takes its tickets: one atomic, no lock.
///
/// **Unique and increasing**: `fetch_add` hands each value out once, and the modification order of
/// one atomic location is total, so a ticket taken after another was returned is greater, whichever
/// process took them. That holds for relaxed operations too; nothing else is published with the ticket.
///
/// **Wait-free**: nothing is retried. A sequence that overflows carries into the millisecond.
///
/// A new counter is at 0: nothing was issued yet.
#[derive(Debug, Default)]
pub struct Ticker {
    next: AtomicU64,
}

impl Ticker {
    /// The ticket that would be handed out next if the clock stood still.
    #[inline]
    #[must_use]
    pub fn peek(&self) -> Tick {
        self.next.load(Ordering::Relaxed)
    }

    /// Makes sure that no ticket below `floor` is handed out from now on.
    pub fn raise(&self, floor: Tick) {
        self.next.fetch_max(floor, Ordering::Relaxed);
    }

    /// Takes one ticket, not below `floor`, the start of the current millisecond.
    #[inline]
    pub fn take(&self, floor: Tick) -> Tick {
        // The load keeps the common case, several tickets within one millisecond, at one
        // read-modify-write; `fetch_max` alone would be as correct.
        if self.peek() < floor {
            self.raise(floor);
        }
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes `n` consecutive tickets that end below `limit`, if there is room for them, and says
    /// which is the first. `start` says where they may start when `next` is the next ticket: at it
    /// or later, so tickets between the two are skipped.
    ///
    /// Lock-free: it is tried again only when another caller has taken tickets meanwhile.
    pub fn claim(&self, n: u64, limit: Tick, start: impl Fn(Tick) -> Tick) -> Option<Tick> {
        let mut next = self.peek();
        loop {
            let first = start(next).max(next);
            let end = first.checked_add(n).filter(|&end| end <= limit)?;
            match self.next.compare_exchange_weak(next, end, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(first),
                Err(newer) => next = newer,
            }
        }
    }
}
