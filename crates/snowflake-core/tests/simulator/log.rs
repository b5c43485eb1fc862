//! What the clients of one machine were given, as runs of consecutive IDs.

use super::world::World;
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
    /// The newest tick that a client of this machine had been given by then.
    newest: Tick,
}

impl Call {
    pub fn new(session: usize, asked: i64, newest: Tick) -> Self {
        Self { session, asked, low: i64::MAX, high: i64::MIN, newest }
    }

    /// The call reads the wall clock.
    #[inline]
    pub fn reads(&mut self, wall: i64) {
        self.low = self.low.min(wall);
        self.high = self.high.max(wall);
    }

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
    pub fn len(&self) -> u64 {
        self.last_tick - self.first_tick + 1
    }
}

pub struct Log {
    layout: Layout,
    identity: Node,
    runs: Vec<Run>,
    /// By session, where IDs count only once they are committed.
    uncommitted: Option<Vec<Vec<Run>>>,
    newest: Tick,
    newest_committed: Tick,
    ids: Option<Vec<i64>>,
    faults: Vec<String>,
}

impl Log {
    pub fn new(world: &World, identity: Node) -> Self {
        let sessions = super::bound::MAX_SESSIONS as usize;
        Self {
            layout: world.layout,
            identity,
            runs: vec![],
            uncommitted: world.regime.has_standby().then(|| vec![vec![]; sessions]),
            newest: 0,
            newest_committed: 0,
            ids: world.collect_ids.then(Vec::new),
            faults: vec![],
        }
    }

    pub fn newest(&self) -> Tick {
        self.newest
    }

    /// `latest` is asked for only where a new run begins.
    #[inline]
    pub fn add(
        &mut self,
        id: i64,
        call: &Call,
        returned: i64,
        wall: i64,
        latest: impl FnOnce() -> i64,
    ) {
        // Taken apart again, so that nothing is believed of who put it together.
        let parts = self.layout.decode(id);
        let tick =
            parts.timestamp << self.layout.bits(Section::Sequence) | u64::from(parts.sequence);
        let identity = Node { datacenter: parts.datacenter, machine: parts.machine };
        if id < 0 || identity != self.identity || tick <= call.newest {
            self.fault(id, identity, tick, call);
        }
        self.newest = self.newest.max(tick);
        if let Some(ids) = &mut self.ids {
            ids.push(id);
        }
        let runs = match &mut self.uncommitted {
            Some(sessions) => &mut sessions[call.session],
            None => &mut self.runs,
        };
        if let Some(run) = runs.last_mut()
            && (run.last_tick + 1, run.returned) == (tick, returned)
            && run.call.is_like(call)
        {
            (run.last_tick, run.last) = (tick, id);
            return;
        }
        runs.push(Run {
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
    fn fault(&mut self, id: i64, identity: Node, tick: Tick, call: &Call) {
        self.faults.push(if identity == self.identity {
            format!("{id}, tick {tick}, came after tick {} was returned", call.newest)
        } else {
            format!("{id} of {identity:?} was issued by {:?}", self.identity)
        });
    }

    pub fn lease_is_shorter(&mut self, durable: Tick, in_force: Tick) {
        let node = self.identity;
        self.faults
            .push(format!("{node:?}: the lease ends at {durable} on disk, at {in_force} here"));
    }

    /// Returns whether there was anything to commit.
    pub fn commit(&mut self, session: usize, now: i64) -> bool {
        let Some(sessions) = &mut self.uncommitted else { return false };
        let committed = std::mem::take(&mut sessions[session]);
        for run in &committed {
            self.newest_committed = self.newest_committed.max(run.last_tick);
            self.runs.push(Run { returned: now, ..*run });
        }
        !committed.is_empty()
    }

    /// All sessions are gone, and nobody keeps the IDs that they have not committed.
    pub fn abort(&mut self) {
        self.uncommitted.iter_mut().flatten().for_each(Vec::clear);
    }

    /// The machine is lost, and with it what no standby had.
    pub fn lose_uncommitted(&mut self) {
        self.abort();
        self.newest = self.newest_committed;
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
