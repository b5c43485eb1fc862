//! What the clients of one identity were given, as runs of consecutive IDs.

use snowflake_core::{Layout, Node, Section, Tick};

/// A client's call, from its question on.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub session: usize,
    /// When it was made.
    pub asked: i64,
    /// The earliest and the latest that the wall clock said during the call, in true time.
    pub low: i64,
    pub high: i64,
    /// The greatest ID that a client had been given by then.
    pub newest: i64,
    /// What it has to be greater than besides.
    pub shown: Shown,
}

/// IDs of any server that were shown to this one, and that those asked for from then on are greater than.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    pub times: u64,
    pub greatest: i64,
}

impl Shown {
    const NONE: Self = Self { times: 0, greatest: -1 };

    #[must_use]
    pub fn and(self, id: i64) -> Self {
        Self { times: self.times + 1, greatest: self.greatest.max(id) }
    }
}

impl Call {
    /// Whether two calls were made by one session at one moment and read the same.
    fn is_like(&self, other: &Self) -> bool {
        let key = |call: &Self| (call.session, call.asked, call.low, call.high);
        key(self) == key(other)
    }
}

/// Consecutive IDs that were returned at one moment to one caller.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub identity: Node,
    pub call: Call,
    pub returned: i64,
    /// The wall clock when they were returned, in true time.
    pub wall: i64,
    /// The latest time that they may carry.
    pub latest: i64,
    pub first: i64,
    pub last: i64,
    pub first_tick: Tick,
    pub last_tick: Tick,
}

impl Run {
    pub fn ids(&self) -> u64 {
        self.last_tick - self.first_tick + 1
    }
}

pub struct Log {
    layout: Layout,
    runs: Vec<Run>,
    newest: i64,
    shown: Shown,
    ids: Option<Vec<i64>>,
    faults: Vec<String>,
    /// How many pairs there are of an ID that was shown and one that was asked for later.
    causal_pairs: u64,
    /// IDs that are below one that was shown, with the greatest of these.
    below_shown: Vec<(i64, i64)>,
}

impl Log {
    pub fn new(layout: Layout, collects_ids: bool) -> Self {
        let ids = collects_ids.then(Vec::new);
        Self {
            layout,
            runs: vec![],
            newest: -1,
            shown: Shown::NONE,
            ids,
            faults: vec![],
            causal_pairs: 0,
            below_shown: vec![],
        }
    }

    pub fn newest(&self) -> i64 {
        self.newest
    }

    pub fn shown(&self) -> Shown {
        self.shown
    }

    /// This server has taken note of an ID.
    pub fn note_shown(&mut self, id: i64) {
        self.shown = self.shown.and(id);
    }

    pub fn note_fault(&mut self, fault: String) {
        self.faults.push(fault);
    }

    pub fn causal_pairs(&self) -> u64 {
        self.causal_pairs
    }

    pub fn below_shown(&self) -> &[(i64, i64)] {
        &self.below_shown
    }

    /// An ID was returned by this node, whose lease on disk ended at `durable`. `latest` is asked for only
    /// where a new run begins.
    #[inline]
    #[expect(clippy::too_many_arguments, reason = "once for each ID")]
    pub fn add(
        &mut self,
        id: i64,
        node: Node,
        durable: Tick,
        call: &Call,
        returned: i64,
        wall: i64,
        latest: impl FnOnce() -> i64,
    ) {
        // Taken apart again, so that nothing is believed of the code that put it together.
        let (tick, identity) = self.parts(id);
        if identity != node || id <= call.newest || tick >= durable {
            self.fault(id, identity, node, durable, call);
        }
        self.newest = self.newest.max(id);
        self.causal_pairs += call.shown.times;
        if id <= call.shown.greatest {
            self.below_shown.push((id, call.shown.greatest));
        }
        if let Some(ids) = &mut self.ids {
            ids.push(id);
        }
        if let Some(run) = self.runs.last_mut()
            && (run.last_tick + 1, run.returned) == (tick, returned)
            && run.call.is_like(call)
        {
            (run.last_tick, run.last) = (tick, id);
            return;
        }
        self.runs.push(Run {
            identity,
            call: *call,
            returned,
            wall,
            latest: latest(),
            first: id,
            last: id,
            first_tick: tick,
            last_tick: tick,
        });
    }

    #[cold]
    fn fault(&mut self, id: i64, identity: Node, node: Node, durable: Tick, call: &Call) {
        self.faults.push(if identity != node {
            format!("{id} of {identity:?} was issued by {node:?}")
        } else if id <= call.newest {
            format!("{id} came after {} was returned", call.newest)
        } else {
            format!("{id} was returned, and the lease on disk ends at tick {durable}")
        });
    }

    /// A server says that it has issued nothing from this tick on.
    pub fn check_mark(&mut self, mark: Tick, call: &Call) {
        if call.newest >= 0 && mark <= self.parts(call.newest).0 {
            self.faults.push(format!("{} was returned, and {mark} is the mark", call.newest));
        }
    }

    /// The tick and the node of an ID.
    fn parts(&self, id: i64) -> (Tick, Node) {
        let parts = self.layout.decode(id);
        let tick =
            parts.timestamp << self.layout.bits(Section::Sequence) | u64::from(parts.sequence);
        (tick, Node { datacenter: parts.datacenter, machine: parts.machine })
    }

    pub fn take_runs(&mut self, into: &mut Vec<Run>) {
        into.append(&mut self.runs);
    }

    pub fn ids(&mut self) -> Vec<i64> {
        self.ids.take().unwrap_or_default()
    }

    pub fn faults(&self) -> &[String] {
        &self.faults
    }
}
