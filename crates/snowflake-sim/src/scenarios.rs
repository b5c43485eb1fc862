//! Small scenarios, in which every fault is tried at every call of a host ([`crate::faults`]): what happens in
//! them if nothing goes wrong, and how a run under a schedule is judged.
//!
//! After each run power fails, and the primary starts again with its clock where the scenario began, and so does
//! each standby in turn: an ID that was returned and is not kept comes again then.

use crate::check::bound::Ceiling;
use crate::check::log::Log;
use crate::clock::{MILLI, NEVER, SECOND, START};
use crate::disk::{Cut, Disk};
use crate::faults::{Fate, Fault, Found, Outcome, Schedule, Script, search};
use crate::fleet::{Fleet, Site};
use crate::process::{KEEPER, SESSIONS};
use crate::scheduler::Happened;
use crate::server::{Family, Machine, Omission};
use crate::session::Statement::{self, Batches, Checkpoint, Reply, Reserve, Singles, Witness};
use crate::wal::{Control, Wal};
use snowflake_core::{Epoch, Generator, Layout, Node, Space};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// What one session does in each life of a primary: this many milliseconds after the statement before, the next.
type Session = &'static [(i64, Statement)];

/// What is planned, when all sessions are done.
#[derive(Clone, Copy, Debug)]
enum Plan {
    /// A clean stop of the server in this place, and a start.
    Stop(usize),
    Failover,
}

#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    pub name: &'static str,
    /// Widths of datacenter, machine and sequence.
    layout: [u32; 3],
    max_drift: u32,
    standbys: usize,
    /// Else sessions extend the lease themselves.
    has_keeper: bool,
    sessions: &'static [Session],
    plan: &'static [Plan],
    /// Nothing goes wrong before this time: milliseconds.
    faults_from: i64,
    /// The machine id of the primary, and what it starts as after its clean stop.
    machines: [u32; 2],
}

const START_UP: Scenario = Scenario {
    name: "start",
    layout: [5, 5, 12],
    max_drift: 5_000,
    standbys: 1,
    has_keeper: true,
    sessions: &[&[(0, Singles(1))], &[(0, Singles(1))]],
    plan: &[],
    faults_from: 0,
    machines: [1, 1],
};

/// All of them.
pub const ALL: [Scenario; 16] = [
    START_UP,
    Scenario {
        name: "start without a keeper",
        has_keeper: false,
        sessions: &[&[(0, Singles(2))], &[(0, Singles(1))]],
        ..START_UP
    },
    Scenario {
        name: "renewal without a keeper",
        has_keeper: false,
        sessions: &[&[(0, Singles(1)), (1_100, Singles(1))], &[(1_100, Singles(1))]],
        faults_from: 1_050,
        ..START_UP
    },
    Scenario {
        name: "renewal",
        sessions: &[&[(0, Singles(1)), (620, Singles(1))], &[(620, Singles(1)), (450, Singles(1))]],
        faults_from: 600,
        ..START_UP
    },
    Scenario {
        name: "batch",
        layout: [12, 12, 0],
        sessions: &[&[(0, Batches { size: 1_100, times: 1 })], &[(0, Singles(1))]],
        ..START_UP
    },
    Scenario {
        name: "turns",
        layout: [5, 5, 2],
        max_drift: 0,
        sessions: &[&[(0, Batches { size: 6, times: 1 })], &[(0, Reserve(4))]],
        ..START_UP
    },
    Scenario {
        name: "promotion",
        sessions: &[&[(0, Singles(1)), (0, Checkpoint)]],
        plan: &[Plan::Failover],
        ..START_UP
    },
    Scenario {
        name: "promotion without a keeper",
        has_keeper: false,
        sessions: &[&[(0, Singles(1)), (0, Checkpoint)]],
        plan: &[Plan::Failover],
        ..START_UP
    },
    Scenario {
        name: "cascade",
        standbys: 2,
        sessions: &[&[(0, Singles(1)), (0, Checkpoint)]],
        plan: &[Plan::Failover, Plan::Failover],
        ..START_UP
    },
    Scenario {
        name: "stop",
        sessions: &[&[(0, Singles(1))]],
        plan: &[Plan::Stop(0)],
        machines: [1, 2],
        ..START_UP
    },
    Scenario {
        name: "stop of a standby",
        sessions: &[&[(0, Singles(1)), (0, Checkpoint)]],
        plan: &[Plan::Stop(1), Plan::Failover],
        ..START_UP
    },
    // Both are shown IDs that are ahead of the lease.
    Scenario {
        name: "shown",
        sessions: &[
            &[(0, Singles(1)), (0, Reply(shown(1_500)))],
            &[(0, Witness(shown(2_900))), (0, Singles(1))],
        ],
        ..START_UP
    },
    Scenario {
        name: "shown without a keeper",
        has_keeper: false,
        sessions: &[
            &[(0, Singles(1)), (0, Reply(shown(1_500)))],
            &[(0, Witness(shown(2_900))), (0, Singles(1))],
        ],
        ..START_UP
    },
    // In the first life, nearer than the wall clock will be by then.
    Scenario {
        name: "shown and waited for",
        max_drift: 20,
        sessions: &[&[(0, Singles(1)), (0, Reply(shown(30)))], &[(0, Singles(1))]],
        ..START_UP
    },
    // There are more tickets than the lease covers when the ID is shown.
    Scenario {
        name: "shown at the end of the lease",
        layout: [5, 5, 2],
        max_drift: 0,
        has_keeper: false,
        sessions: &[
            &[(0, Singles(1)), (999, Batches { size: 8, times: 1 })],
            &[(999, Witness(shown_of_four(1_000)))],
        ],
        faults_from: 990,
        ..START_UP
    },
    Scenario {
        name: "shown and stop",
        sessions: &[&[(0, Singles(1)), (0, Witness(shown(500)))]],
        plan: &[Plan::Stop(0)],
        machines: [3, 1],
        ..START_UP
    },
];

/// An ID of machine 2, this many milliseconds after the scenario began, where a millisecond has 2^`sequence` IDs.
const fn id_of(millis: i64, sequence: u32) -> i64 {
    /// 2024-01-01 00:00:00 UTC, the default epoch.
    const EPOCH: i64 = 1_704_067_200_000;
    let machine = 2;
    ((START / MILLI - EPOCH + millis) << 10 | machine) << sequence
}

const fn shown(millis: i64) -> i64 {
    id_of(millis, 12)
}

const fn shown_of_four(millis: i64) -> i64 {
    id_of(millis, 2)
}

/// Later than anything happens that is not stuck.
const TOO_LATE: i64 = 60 * SECOND;

impl Scenario {
    /// Tries every schedule of this many faults at most.
    pub fn search(&self, omits: Option<Omission>, faults: usize) -> Found {
        search(&|schedule, notes_choices| self.run(omits, schedule, notes_choices), faults)
    }

    /// Runs it under a schedule, on hosts that leave something out.
    pub fn run(&self, omits: Option<Omission>, schedule: Schedule, notes_choices: bool) -> Outcome {
        let script = Script::new(schedule, self.faults_from * MILLI, notes_choices);
        let mut stage = Stage::new(self, omits, script);
        stage.play(self.sessions, self.plan);
        stage.script().end();
        stage.fleet.crash(0, Cut::Lost, 0);
        stage.ask_again();
        while stage.fleet.sites.len() > 1 && stage.complaints.is_empty() {
            stage.fail_over();
            stage.ask_again();
        }
        stage.judge()
    }
}

struct Stage<'a> {
    scenario: &'a Scenario,
    fleet: Fleet,
    complaints: Vec<String>,
    refusals: usize,
}

impl<'a> Stage<'a> {
    fn new(scenario: &'a Scenario, omits: Option<Omission>, script: Script) -> Self {
        let [datacenter, machine, sequence] = scenario.layout;
        let layout = Layout::new(datacenter, machine, sequence).unwrap();
        let family = Rc::new(Family {
            now: Cell::new(0),
            quiet: Cell::new(0),
            others_can_run: Cell::new(false),
            has_standby: Cell::new(scenario.standbys > 0),
            has_keeper: scenario.has_keeper,
            fate: Fate::Script(script),
            wal: RefCell::new(Wal::default()),
            log: RefCell::new(Log::new(layout, true)),
            ceiling: Ceiling::new(scenario.max_drift, 0),
            counts: RefCell::default(),
            omits,
        });
        let generator = generator(layout, scenario.machines[0]);
        let primary = Machine {
            family: family.clone(),
            generator: Cell::new(generator),
            max_drift: scenario.max_drift,
            offset: Cell::new(0),
            believed: Cell::new(0),
            disk: RefCell::new(Disk::default()),
            control: Cell::new(Control { redo: 0, time: START.div_euclid(SECOND) - 1 }),
            is_standby: Cell::new(false),
            received: Cell::new(0),
        };
        let standbys = (0..scenario.standbys).map(|_| {
            let machine = primary.backup(generator, scenario.max_drift, 0);
            Site { machine: Rc::new(machine), running: None, start_at: 0 }
        });
        let mut sites: Vec<_> = standbys.collect();
        sites.insert(0, Site { machine: Rc::new(primary), running: None, start_at: 0 });
        let fleet = Fleet { family, sites };
        Self { scenario, fleet, complaints: vec![], refusals: 0 }
    }

    fn script(&self) -> &Script {
        match &self.fleet.family.fate {
            Fate::Script(script) => script,
            Fate::Luck(_) => unreachable!(),
        }
    }

    /// Lets sessions do what they do, and what is planned happen.
    fn play(&mut self, sessions: &[Session], plan: &[Plan]) {
        let mut plan = plan.iter();
        loop {
            if self.is_quiet() {
                match plan.next() {
                    None => return,
                    Some(Plan::Failover) => self.fail_over(),
                    Some(&Plan::Stop(site)) if site < self.fleet.sites.len() => {
                        self.fleet.stop(site, 0);
                    }
                    Some(Plan::Stop(_)) => {}
                }
                continue;
            }
            let (time, site, slot) = self.fleet.next();
            if time > TOO_LATE {
                self.complaints.push("a process waits for ever".to_owned());
                return;
            }
            let now = &self.fleet.family.now;
            now.set(time.max(now.get()));
            self.step(sessions, site, slot);
        }
    }

    /// Whether all servers run, and only keepers have anything to do, but not now.
    fn is_quiet(&self) -> bool {
        let now = self.fleet.family.now.get();
        self.fleet.sites.iter().all(|site| {
            site.running.as_ref().is_some_and(|running| {
                let mut tasks = running.tasks.iter().enumerate();
                tasks.all(|(slot, it)| it.wake > if slot == KEEPER { now } else { NEVER - 1 })
            })
        })
    }

    fn step(&mut self, sessions: &[Session], site: usize, slot: Option<usize>) {
        self.look_around(site, slot);
        let statement = |done: usize| sessions[slot.unwrap_or(0) - SESSIONS][done].1;
        let tasks = self.fleet.sites[site].running.as_ref().map(|running| &running.tasks);
        let done = slot.and_then(|slot| Some(tasks?[slot].statements)).unwrap_or(0);
        match self.fleet.step(site, slot, |_| statement(done)) {
            Some(Happened::Fault(Fault::Crash(cut))) => self.fleet.crash(site, cut, 0),
            Some(Happened::Fault(_)) => self.fail_over(),
            Some(Happened::Replayed) if site == 0 => {
                self.fleet.open(sessions.len());
                (0..sessions.len()).for_each(|session| self.plan_statement(sessions, session));
            }
            Some(Happened::Replayed) | None => {}
            Some(Happened::Stopped(result)) => {
                self.fleet.stopped(site, result, 0);
                let machine = &self.fleet.sites[site].machine;
                let layout = machine.generator.get().layout();
                machine.generator.set(generator(layout, self.scenario.machines[1]));
            }
            Some(Happened::Answered(slot, answer)) => {
                self.refusals += usize::from(!matches!(answer, Some(Ok(()))));
                self.plan_statement(sessions, slot - SESSIONS);
            }
        }
        (1..self.fleet.sites.len()).for_each(|site| self.fleet.receive(site));
    }

    /// Notes what makes a difference to a process that goes on now.
    fn look_around(&self, site: usize, slot: Option<usize>) {
        let family = &self.fleet.family;
        let now = family.now.get();
        let sites = self.fleet.sites.iter().enumerate();
        let others = sites.filter_map(|(index, it)| Some((index, it.running.as_ref()?)));
        let mut tasks = others.flat_map(|(index, running)| {
            running.tasks.iter().enumerate().map(move |(slot, task)| (index, Some(slot), task.wake))
        });
        let can_run = tasks.any(|(index, it, wake)| (index, it) != (site, slot) && wake <= now);
        family.others_can_run.set(can_run);
        family.has_standby.set(self.fleet.sites.len() > 1);
    }

    fn plan_statement(&mut self, sessions: &[Session], session: usize) {
        let now = self.fleet.family.now.get();
        if let Some(running) = &mut self.fleet.sites[0].running {
            let task = &mut running.tasks[SESSIONS + session];
            let next = sessions[session].get(task.statements);
            task.wake = next.map_or(NEVER, |(pause, _)| now + pause * MILLI);
        }
    }

    /// To a machine whose clock stands where the scenario began.
    fn fail_over(&mut self) {
        let now = self.fleet.family.now.get();
        self.fleet.fail_over(-now, 0);
    }

    /// Nothing goes wrong any more: a client is given an ID, at the time when the scenario began.
    fn ask_again(&mut self) {
        self.fleet.set_clock(-self.fleet.family.now.get());
        let refusals = self.refusals;
        self.play(&[&[(0, Singles(1))]], &[]);
        if self.refusals > refusals {
            self.complaints.push("no ID is issued although all is well again".to_owned());
        }
    }

    fn judge(self) -> Outcome {
        let mut log = self.fleet.family.log.borrow_mut();
        let mut violations = log.faults().to_vec();
        let below = log.below_shown().iter();
        violations.extend(below.map(|(id, shown)| format!("{id} came after {shown} was shown")));
        violations.extend(self.complaints.iter().cloned());
        let mut ids = log.ids();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        let repeated = (all - ids.len()) as u64;
        if repeated > 0 {
            violations.push(format!("{repeated} IDs were returned twice"));
        }
        drop(log);
        let (choices, story) = (self.script().choices(), self.script().story());
        Outcome { choices, violations, repeated, story }
    }
}

fn generator(layout: Layout, machine: u32) -> Generator {
    let space = Space { layout, epoch: Epoch::default() };
    Generator::new(space, Node { datacenter: 0, machine }).unwrap()
}
