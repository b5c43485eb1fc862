//! The processes of a server, which take turns.
//!
//! Here: who runs when, and what becomes of a process that has ended. Not here: what happens inside of one.

use crate::clock::{NEVER, SECOND};
use crate::faults::Fault;
use crate::process::{Done, KEEPER, Process, SESSIONS, SYSTEM, Wait};
use crate::recovery;
use crate::server::Life;
use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult};
use snowflake_core::{Keeper, Obstacle, Server};
use std::cell::RefCell;
use std::rc::Rc;

/// What it takes to be given a lock.
const WAKE_UP: i64 = 10;
const STACK: usize = 64 << 10;

type Run = Coroutine<(), Wait, Done, DefaultStack>;

thread_local! {
    static STACKS: RefCell<Vec<DefaultStack>> = const { RefCell::new(vec![]) };
}

/// A process that does this work.
pub fn start<F>(life: &Rc<Life>, slot: usize, work: F) -> Run
where
    F: FnOnce(&Server<'_, Process<'_>>) -> Done + 'static,
{
    let life = life.clone();
    let stack = STACKS.with_borrow_mut(Vec::pop);
    let stack = stack.unwrap_or_else(|| DefaultStack::new(STACK).unwrap());
    Coroutine::with_stack(stack, move |yielder, ()| {
        let host = Process::new(&life, slot, Some(yielder));
        work(&Server { generator: life.generator, state: &life.state, host: &host })
    })
}

fn end(mut run: Run) {
    run.force_unwind();
    STACKS.with_borrow_mut(|stacks| stacks.push(run.into_stack()));
}

#[derive(Default)]
pub struct Task {
    /// When it goes on, or begins something.
    pub wake: i64,
    waits_for_lock: bool,
    waits_for_lease: bool,
    run: Option<Run>,
    /// How many statements this session has made.
    pub statements: usize,
}

impl Task {
    pub fn at(wake: i64) -> Self {
        Self { wake, ..Self::default() }
    }
}

/// What the processes of a server leave to its surroundings.
pub enum Happened {
    Fault(Fault),
    /// All that there is was replayed.
    Replayed,
    Stopped(Result<(), Obstacle>),
    /// A session's statement, in this slot; none if it was cancelled.
    Answered(usize, Option<Result<(), Obstacle>>),
}

/// The processes of a running server.
pub struct Running {
    pub life: Rc<Life>,
    pub tasks: Vec<Task>,
    keeper: Keeper,
}

impl Running {
    pub fn new(life: Rc<Life>) -> Self {
        let now = life.family().now.get();
        let keeper = Task::at(if life.family().has_keeper { now } else { NEVER });
        Self { life, tasks: vec![keeper, Task::at(now)], keeper: Keeper::default() }
    }

    pub fn next(&self) -> (i64, usize) {
        let wakes = self.tasks.iter().enumerate().map(|(slot, task)| (task.wake, slot));
        wakes.min().unwrap()
    }

    /// Lets a process go on, or begin: a session with the statement that it is given.
    pub fn step(
        &mut self,
        slot: usize,
        statement: impl FnOnce(&Rc<Life>) -> Run,
    ) -> Option<Happened> {
        (self.tasks[slot].waits_for_lock, self.tasks[slot].waits_for_lease) = (false, false);
        let mut run = self.tasks[slot].run.take().unwrap_or_else(|| match slot {
            KEEPER => {
                self.life.keeper_is_woken.set(false);
                let mut keeper = std::mem::take(&mut self.keeper);
                start(&self.life, slot, move |server| {
                    let nap = keeper.look(server);
                    Done::Looked(keeper, nap)
                })
            }
            SYSTEM if self.life.is_stopping.get() => start(&self.life, slot, recovery::stop),
            SYSTEM => start(&self.life, slot, recovery::replay),
            _ => statement(&self.life),
        });
        let happened = match run.resume(()) {
            CoroutineResult::Yield(wait) => self.suspended(slot, run, wait),
            CoroutineResult::Return(done) => {
                STACKS.with_borrow_mut(|stacks| stacks.push(run.into_stack()));
                self.done(slot, done)
            }
        };
        self.wake_others();
        happened
    }

    fn suspended(&mut self, slot: usize, run: Run, wait: Wait) -> Option<Happened> {
        let now = self.life.family().now.get();
        let task = &mut self.tasks[slot];
        match wait {
            Wait::Until(time) => task.wake = time,
            Wait::Others => task.wake = now + 1,
            Wait::Lock => (task.wake, task.waits_for_lock) = (NEVER, true),
            Wait::Lease => (task.wake, task.waits_for_lease) = (now + SECOND, true),
            Wait::Fault(fault) => {
                task.run = Some(run);
                return Some(Happened::Fault(fault));
            }
            Wait::Cancelled => {
                end(run);
                self.life.readings[slot - SESSIONS].reset();
                return Some(Happened::Answered(slot, None));
            }
        }
        task.run = Some(run);
        None
    }

    fn done(&mut self, slot: usize, done: Done) -> Option<Happened> {
        let now = self.life.family().now.get();
        self.tasks[slot].wake = NEVER;
        match done {
            Done::Looked(keeper, nap) => {
                self.keeper = keeper;
                let nap = nap.map_or(NEVER, |it| it.as_micros() as i64);
                self.tasks[KEEPER].wake = now + nap;
                None
            }
            Done::Replayed => Some(Happened::Replayed),
            Done::Stopped(result) => Some(Happened::Stopped(result)),
            Done::Answered(result) => {
                self.tasks[slot].statements += 1;
                self.life.readings[slot - SESSIONS].reset();
                Some(Happened::Answered(slot, Some(result)))
            }
        }
    }

    fn wake_others(&mut self) {
        let now = self.life.family().now.get();
        if self.life.was_unlocked.take() {
            for task in self.tasks.iter_mut().filter(|task| task.waits_for_lock) {
                task.wake = now + WAKE_UP;
            }
        }
        if self.life.sessions_are_woken.take() {
            for task in self.tasks.iter_mut().filter(|task| task.waits_for_lease) {
                task.wake = now + WAKE_UP;
            }
        }
        let keeper = &mut self.tasks[KEEPER];
        let is_woken = self.life.keeper_is_woken.get() && self.life.family().has_keeper;
        if is_woken && keeper.run.is_none() {
            keeper.wake = now;
        }
    }

    /// Ends all processes but the postmaster, which lets one more run: it shuts down.
    pub fn begin_to_stop(&mut self) {
        self.end_all();
        self.tasks.truncate(SESSIONS);
        self.life.is_stopping.set(true);
        self.tasks[KEEPER].wake = NEVER;
        self.tasks[SYSTEM].wake = self.life.family().now.get();
        self.life.keeper_is_woken.set(false);
    }

    fn end_all(&mut self) {
        self.tasks.iter_mut().filter_map(|task| task.run.take()).for_each(end);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end_all();
    }
}
