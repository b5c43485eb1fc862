//! What befalls a process where it calls its host: by luck, or by a schedule; and the search that tries every
//! schedule.

use crate::clock::{HOUR, MILLI, SECOND};
use crate::disk::Cut;
use crate::process::Process;
use fastrand::Rng;
use snowflake_core::Step;
use std::cell::{Cell, RefCell};
use std::fmt::Debug;

/// Where a process is: before what the name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    Wall,
    /// Between two readings of the monotonic clock.
    Clocks,
    Preempt,
    Lock,
    Read,
    Write(Step),
    /// The lease file is written, and WAL does not know.
    Insert,
    Flush,
    /// WAL has it, and standbys may not.
    Standbys,
    /// They have it, and it is not in force yet.
    Confirmed,
    /// A session that has asked the keeper.
    Await,
    Sleep,
    /// Replay of the next record.
    Replay,
    /// A checkpoint becomes the one to restart from.
    Checkpoint,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Nothing,
    /// The call fails.
    Fails,
    /// The process hangs, or something else has its processor, for this many microseconds.
    Pause(i64),
    /// Other processes that could run do.
    Switch,
    /// The wall clock is set: its offset from true time.
    Step(i64),
    Crash(Cut),
    /// The primary is lost, and its standby promoted.
    Failover,
}

pub enum Fate {
    Luck(Luck),
    Script(Script),
}

impl Fate {
    pub fn decide(&self, point: Point, process: &Process<'_>) -> Fault {
        match self {
            Self::Luck(luck) => luck.decide(point, process),
            Self::Script(script) => script.decide(point, process),
        }
    }

    /// How late a sleeping session wakes up, and whether it is cancelled then.
    pub fn of_sleep(&self) -> (i64, bool) {
        match self {
            Self::Luck(luck) => luck.dice(|dice| (dice.i64(0..100), dice.u32(0..500) == 0)),
            Self::Script(_) => (0, false),
        }
    }

    /// How much of the WAL between these positions is on disk although no process has flushed it.
    pub fn of_wal(&self, flushed: usize, end: usize) -> usize {
        match self {
            Self::Luck(luck) => luck.dice(|dice| dice.usize(flushed..=end)),
            Self::Script(_) => flushed,
        }
    }

    /// # Panics
    /// Where nothing is left to luck.
    pub fn dice<T>(&self, throw: impl FnOnce(&mut Rng) -> T) -> T {
        match self {
            Self::Luck(luck) => luck.dice(throw),
            Self::Script(_) => unreachable!(),
        }
    }
}

pub struct Luck {
    dice: RefCell<Rng>,
    disk_fails: bool,
}

impl Luck {
    pub fn new(dice: Rng, disk_fails: bool) -> Self {
        Self { dice: RefCell::new(dice), disk_fails }
    }

    fn dice<T>(&self, throw: impl FnOnce(&mut Rng) -> T) -> T {
        throw(&mut self.dice.borrow_mut())
    }

    fn decide(&self, point: Point, process: &Process<'_>) -> Fault {
        match point {
            Point::Write(step) => self.of_disk(step),
            _ => self.of_processor(process),
        }
    }

    /// A disk may hang, or be full.
    fn of_disk(&self, step: Step) -> Fault {
        self.dice(|dice| {
            if self.disk_fails && dice.u32(0..250) == 0 {
                return Fault::Fails;
            }
            match step {
                Step::Sync | Step::SyncNew | Step::SyncDirectory => {
                    let all = [3 * MILLI, 3 * MILLI, 3 * MILLI, 3 * MILLI, 100 * MILLI, 2 * SECOND];
                    let longest = dice.choice(all).unwrap();
                    Fault::Pause(dice.i64(50..longest))
                }
                _ => Fault::Nothing,
            }
        })
    }

    /// Now and then the operating system has something better to do than this process, wherever it is.
    fn of_processor(&self, process: &Process<'_>) -> Fault {
        let (pause, next) = self.dice(|dice| {
            let longest = dice.choice([20, 2_000, 50_000]).unwrap();
            (dice.i64(1..longest), dice.u32(0..8_000))
        });
        process.family.quiet.set(next);
        process.family.count("interrupted", true);
        Fault::Pause(pause)
    }
}

/// A kind of fault that a schedule can have anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Fails,
    Hangs,
    Switch,
    /// To where the scenario began.
    StepBack,
    StepForward,
    Crash,
    PowerCut,
    TornByPowerCut,
    Failover,
}

/// Longer than anything that a scenario waits for.
const HANGS: i64 = 3 * SECOND;

impl Kind {
    const ALL: [Self; 9] = [
        Self::Fails,
        Self::Hangs,
        Self::Switch,
        Self::StepBack,
        Self::StepForward,
        Self::Crash,
        Self::PowerCut,
        Self::TornByPowerCut,
        Self::Failover,
    ];

    /// Whether it makes a difference here. A clock that is set does at the next reading.
    fn applies(self, point: Point, process: &Process<'_>) -> bool {
        let machine = process.machine;
        let reads = matches!(point, Point::Wall | Point::Clocks | Point::Checkpoint);
        match self {
            Self::Fails => matches!(point, Point::Read | Point::Write(_)),
            Self::Hangs | Self::Crash => true,
            Self::Switch => process.family.others_can_run.get(),
            Self::StepBack => reads && process.family.now.get() + machine.offset.get() > 0,
            Self::StepForward => reads,
            Self::PowerCut | Self::TornByPowerCut => machine.disk.borrow().is_dirty(),
            Self::Failover => process.family.has_standby.get(),
        }
    }

    fn fault(self, process: &Process<'_>) -> Fault {
        match self {
            Self::Fails => Fault::Fails,
            Self::Hangs => Fault::Pause(HANGS),
            Self::Switch => Fault::Switch,
            Self::StepBack => Fault::Step(-process.family.now.get()),
            Self::StepForward => Fault::Step(process.machine.offset.get() + HOUR),
            Self::Crash => Fault::Crash(Cut::Nothing),
            Self::PowerCut => Fault::Crash(Cut::Lost),
            Self::TornByPowerCut => Fault::Crash(Cut::Torn),
            Self::Failover => Fault::Failover,
        }
    }
}

/// Faults, each at a call of a host, by its number.
pub type Schedule = Vec<(usize, Kind)>;

/// Has happen what a schedule says, and notes what else could have.
pub struct Script {
    schedule: Schedule,
    /// Nothing happens, and nothing is counted, before this time.
    from: i64,
    calls: Cell<usize>,
    /// For each call after the last fault, the kinds that would have made a difference; if that is asked for.
    choices: RefCell<Vec<(usize, Kind)>>,
    notes_choices: bool,
    is_over: Cell<bool>,
    story: RefCell<Vec<String>>,
}

impl Script {
    pub fn new(schedule: Schedule, from: i64, notes_choices: bool) -> Self {
        Self {
            schedule,
            from,
            calls: Cell::new(0),
            choices: RefCell::default(),
            notes_choices,
            is_over: Cell::new(false),
            story: RefCell::default(),
        }
    }

    fn decide(&self, point: Point, process: &Process<'_>) -> Fault {
        if self.is_over.get() || process.family.now.get() < self.from {
            return Fault::Nothing;
        }
        let call = self.calls.replace(self.calls.get() + 1);
        let due = self.schedule.iter().find(|&&(at, _)| at == call);
        if let Some((_, kind)) = due {
            let role = process.role();
            self.story.borrow_mut().push(format!("call {call}, {role} at {point:?}: {kind:?}"));
            return kind.fault(process);
        }
        if self.notes_choices && self.schedule.last().is_none_or(|&(last, _)| call > last) {
            let kinds = Kind::ALL.into_iter().filter(|kind| kind.applies(point, process));
            self.choices.borrow_mut().extend(kinds.map(|kind| (call, kind)));
        }
        Fault::Nothing
    }

    /// Nothing befalls anyone from now on.
    pub fn end(&self) {
        self.is_over.set(true);
    }

    pub fn choices(&self) -> Vec<(usize, Kind)> {
        self.choices.take()
    }

    pub fn story(&self) -> Vec<String> {
        self.story.take()
    }
}

/// What a run under a schedule has come to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What else could have happened after the last fault.
    pub choices: Vec<(usize, Kind)>,
    pub violations: Vec<String>,
    pub repeated: u64,
    pub story: Vec<String>,
}

/// What a search has found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub runs: u64,
    /// Of these, the runs with an ID that was issued twice.
    pub repeats: u64,
    pub violations: u64,
    /// The first of the shortest schedules that end badly, by an ID that is issued twice if any does.
    pub worst: Option<(Schedule, Outcome)>,
}

/// Tries every schedule of this many faults at most, depth first.
///
/// `run` is told whether to note what else could have happened.
pub fn search(run: &impl Fn(Schedule, bool) -> Outcome, faults: usize) -> Found {
    let mut found = Found::default();
    extend(run, &mut vec![], faults, &mut found);
    found
}

fn extend(
    run: &impl Fn(Schedule, bool) -> Outcome,
    to: &mut Schedule,
    faults: usize,
    found: &mut Found,
) {
    let mut outcome = run(to.clone(), to.len() < faults);
    let choices = std::mem::take(&mut outcome.choices);
    found.runs += 1;
    found.repeats += u64::from(outcome.repeated > 0);
    if !outcome.violations.is_empty() {
        found.violations += 1;
        let is_worse = |(worst, best): &(Schedule, Outcome)| {
            (outcome.repeated == 0, to.len()) < (best.repeated == 0, worst.len())
        };
        if found.worst.as_ref().is_none_or(is_worse) {
            found.worst = Some((to.clone(), outcome));
        }
    }
    for choice in choices {
        to.push(choice);
        extend(run, to, faults, found);
        to.pop();
    }
}
