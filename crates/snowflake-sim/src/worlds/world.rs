//! What is simulated: a layout, its servers, and what befalls them.

use super::node::Node;
use crate::check::log::Run;
use crate::check::order::Inversion;
use crate::check::{Checker, Findings};
use crate::clock::{MILLI, SECOND, log_uniform};
use crate::server::{Counts, Omission};
use fastrand::Rng;
use serde::Serialize;
use snowflake_core::{Layout, Node as Identity, Section};

/// How far wall clocks are from true time, before they step.
pub const MAX_SKEW: i64 = 10 * SECOND;
/// What all servers do between two looks at what they have handed out.
const WINDOW: i64 = 100 * MILLI;
/// On average.
const SESSIONS: i64 = 4;
/// One run of IDs in this many is followed by a message with the last of them to another server.
const RUNS_PER_MESSAGE: u32 = 64;
/// How long a message takes at most.
const MAX_LAG: i64 = 2 * SECOND;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Crash,
    Stop,
    StepBack,
    StepForward,
    Correction,
    CrashAndStepBack,
    Failover,
    /// A standby goes down, and comes back.
    StandbyCrash,
    StandbyStop,
}

/// What may befall the servers of a world, besides load and the skew of their clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Regime {
    Steady,
    SteadyWithoutDrift,
    Crashes,
    Steps,
    Failovers,
    Everything,
}

impl Regime {
    pub const ALL: [Self; 6] = [
        Self::Steady,
        Self::SteadyWithoutDrift,
        Self::Crashes,
        Self::Steps,
        Self::Failovers,
        Self::Everything,
    ];

    pub fn faults(self) -> &'static [Fault] {
        use Fault::{
            Correction, Crash, CrashAndStepBack, Failover, StandbyCrash, StandbyStop, StepBack,
            StepForward, Stop,
        };
        match self {
            Self::Steady | Self::SteadyWithoutDrift => &[],
            Self::Crashes => &[Crash, Crash, Stop],
            Self::Steps => &[StepBack, StepBack, StepForward, Correction],
            Self::Failovers => &[
                Failover,
                Failover,
                StandbyCrash,
                StandbyCrash,
                StandbyStop,
                Crash,
                Stop,
                CrashAndStepBack,
                StepBack,
                StepForward,
                Correction,
            ],
            Self::Everything => &[Crash, Stop, CrashAndStepBack, StepBack, StepForward, Correction],
        }
    }

    /// The second is the standby of the first.
    pub fn standbys(self) -> usize {
        if self == Self::Failovers { 2 } else { 0 }
    }

    pub fn sets_clocks(self) -> bool {
        self.faults().contains(&Fault::StepBack)
    }

    pub fn disk_fails(self) -> bool {
        matches!(self, Self::Failovers | Self::Everything)
    }
}

/// The layouts that are simulated, each with a drift that its servers can get to within a world.
pub const LAYOUTS: [([u32; 3], u32); 8] = [
    ([5, 5, 12], 20),
    ([0, 8, 4], 5_000),
    ([0, 10, 2], 5_000),
    ([8, 8, 6], 500),
    ([0, 13, 10], 50),
    ([12, 12, 0], 5_000),
    ([0, 5, 17], 10),
    ([2, 2, 20], 2),
];

#[derive(Clone, Debug, Serialize)]
pub struct World {
    pub layout: Layout,
    pub regime: Regime,
    /// As the setting: milliseconds.
    pub max_drift: u32,
    pub nodes: usize,
    pub seed: u64,
    #[serde(skip)]
    pub micros: i64,
    /// Between two statements of a session, on average.
    #[serde(skip)]
    pub idle_micros: i64,
    /// What a statement that is no burst asks for at most.
    #[serde(skip)]
    pub most_ids: u64,
    /// What all bursts together ask for, about.
    #[serde(skip)]
    pub ids_in_bursts: u64,
    #[serde(skip)]
    pub fault_every: i64,
    /// What the checker takes the setting for, where that is not what it is.
    #[serde(skip)]
    pub believed_drift: Option<u32>,
    #[serde(skip)]
    pub omits: Option<Omission>,
    /// Whether the first two servers have one identity.
    #[serde(skip)]
    pub twins: bool,
    #[serde(skip)]
    pub collect_ids: bool,
}

impl World {
    /// The world of this number, of an endless series that has every layout in every regime:
    /// 1,024 servers, where the layout has them, for a minute; about 20 million IDs.
    pub fn of_series(number: u64, seed: u64) -> Self {
        let (turn, place) = (number / 8, number % 8);
        let ([datacenter, machine, sequence], drift) = LAYOUTS[place as usize];
        let regime = Regime::ALL[((place + 5 * turn) % 6) as usize];
        let nodes = 1 << (datacenter + machine).min(10);
        Self {
            layout: Layout::new(datacenter, machine, sequence).unwrap(),
            regime,
            max_drift: if regime == Regime::SteadyWithoutDrift { 0 } else { drift },
            nodes,
            seed: Rng::with_seed(seed ^ number.rotate_left(32)).u64(..),
            micros: 60 * SECOND,
            idle_micros: SESSIONS * 100 * MILLI,
            most_ids: 40 * 1_024 / nodes as u64,
            ids_in_bursts: 10_000_000,
            fault_every: 8 * SECOND,
            believed_drift: None,
            omits: None,
            twins: false,
            collect_ids: false,
        }
    }

    /// How many worlds have every layout in every regime once.
    pub const ROUND: u64 = (LAYOUTS.len() * Regime::ALL.len()) as u64;

    /// The same with busier sessions, and more faults.
    pub fn busy(self) -> Self {
        Self { idle_micros: self.idle_micros / 8, fault_every: SECOND, ..self }
    }

    /// The same with so few servers, and less for each to do.
    pub fn small(self, nodes: usize) -> Self {
        let nodes = nodes.min(self.nodes);
        Self { nodes, most_ids: 40, ids_in_bursts: 300_000, ..self }
    }

    /// How many IDs take a counter a bit further than drift allows.
    pub fn ids_of_burst(&self) -> u64 {
        ((u64::from(self.max_drift) + 2) * self.millisecond()).max(100)
    }

    /// How many of the statements are bursts, as a share.
    pub fn share_of_bursts(&self) -> f64 {
        let bursts = self.ids_in_bursts as f64 / self.ids_of_burst() as f64;
        (bursts / self.statements()).min(0.5)
    }

    fn statements(&self) -> f64 {
        (self.nodes as i64 * SESSIONS * self.micros / self.idle_micros) as f64
    }

    /// Spread over the whole space, its first and its last among them.
    fn identities(&self, node: usize) -> [Identity; 2] {
        let machines = self.layout.max(Section::Machine) + 1;
        let last = machines * (self.layout.max(Section::Datacenter) + 1) - 1;
        let node = if self.twins && node == 1 { 0 } else { node as u64 };
        let number = last * node / (self.nodes as u64 - 1);
        // Where there is room between two, each server has the one after its own, too.
        let other = if last >= 2 * self.nodes as u64 { (number + 1).min(last) } else { number };
        let other = if node + 1 == self.nodes as u64 { number } else { other };
        [number, other].map(|number| Identity {
            datacenter: (number / machines) as u32,
            machine: (number % machines) as u32,
        })
    }

    /// How many IDs a millisecond has.
    pub fn millisecond(&self) -> u64 {
        self.layout.max(Section::Sequence) + 1
    }

    fn servers(&self) -> Vec<Node> {
        let mut dice = Rng::with_seed(self.seed);
        let (drift, mut skew) = (i64::from(self.max_drift) * MILLI + MILLI, 0);
        let mut server = |node| {
            skew = match node {
                0 => MAX_SKEW,
                1 => -MAX_SKEW,
                // Its partner's clock is one that an ID of this one may be ahead of.
                _ if node % 2 == 1 => {
                    (skew + dice.i64(-2 * drift..=2 * drift)).clamp(-MAX_SKEW, MAX_SKEW)
                }
                _ => dice.i64(-MAX_SKEW..=MAX_SKEW),
            };
            Node::new(self, self.identities(node), skew, dice.fork())
        };
        (0..self.nodes).map(&mut server).collect()
    }

    /// Tells other servers of some of the IDs that this one has handed out.
    fn tell(&self, dice: &mut Rng, from: usize, runs: &[Run], end: i64, nodes: &mut [Node]) {
        for run in runs {
            if dice.u32(0..RUNS_PER_MESSAGE) == 0 {
                let to = if dice.bool() { from ^ 1 } else { dice.usize(0..self.nodes) };
                // All servers are done with what is before the end.
                let arrives = (run.returned + log_uniform(dice, 1, MAX_LAG)).max(end);
                nodes[to].send(run.last, arrives);
            }
        }
    }

    /// Lets it all happen, and looks at what came of it.
    pub fn run(&self) -> Outcome {
        let mut nodes = self.servers();
        let mut checker = Checker::new(self.layout);
        let mut runs: Vec<Run> = vec![];
        let mut dice = Rng::with_seed(!self.seed);
        for end in (WINDOW..=self.micros).step_by(WINDOW as usize) {
            for from in 0..nodes.len() {
                let first = runs.len();
                nodes[from].run_until(end, &mut runs);
                self.tell(&mut dice, from, &runs[first..], end, &mut nodes);
            }
            runs.sort_by_key(|run| run.returned);
            runs.drain(..).for_each(|run| checker.add(&run));
        }
        Outcome::new(self, checker, &nodes)
    }
}

/// What came of a world.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    pub world: World,
    pub ids: u64,
    pub counts: Counts,
    /// Of an ID that a server was shown, and one that it was asked for later.
    pub causal_pairs: u64,
    pub findings: Findings,
    pub largest_inversion: Inversion,
    /// How close any pair came to its bound, and any ID to the latest time that it may carry.
    pub least_margin_of_pairs_micros: i64,
    pub least_margin_of_ids_micros: i64,
    pub largest_drift_micros: i64,
    #[serde(skip)]
    pub all_ids: Vec<i64>,
}

impl Outcome {
    fn new(world: &World, mut checker: Checker, nodes: &[Node]) -> Self {
        let mut counts = Counts::default();
        for node in nodes {
            add(&mut counts, node.counts());
            for (id, shown) in node.below_shown() {
                checker.findings.below_shown += 1;
                checker.findings.note(|| format!("{id} came after {shown} was shown"));
            }
            for fault in node.faults() {
                checker.findings.out_of_line += 1;
                checker.findings.note(|| fault);
            }
        }
        Self {
            world: world.clone(),
            ids: checker.ids,
            counts,
            causal_pairs: nodes.iter().map(Node::causal_pairs).sum(),
            findings: checker.findings,
            largest_inversion: checker.order.largest,
            least_margin_of_pairs_micros: checker.order.least_margin,
            least_margin_of_ids_micros: checker.least_margin,
            largest_drift_micros: checker.largest_drift,
            all_ids: nodes.iter().flat_map(Node::ids).collect(),
        }
    }
}

/// Adds up how often what happened.
pub fn add(to: &mut Counts, counts: Counts) {
    counts.into_iter().for_each(|(event, times)| *to.entry(event).or_default() += times);
}
