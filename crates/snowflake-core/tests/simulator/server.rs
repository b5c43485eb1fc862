//! One life of a server: what its sessions share, and the ordinary path to the next ID, as the
//! extension's `issuer.rs` has it.

use super::bound::MAX_SESSIONS;
use super::log::Call;
use super::machine::{MILLI, Machine};
use snowflake_core::{Generator, IssueError, Lease, Pacer, Section, Tick, Ticker};
use std::cell::Cell;
use std::rc::Rc;

const NAP_MICROS: i64 = 5_000;

/// Why a call has no ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Issue(IssueError),
    Disk,
    Cancelled,
}

impl From<IssueError> for Refusal {
    fn from(error: IssueError) -> Self {
        Self::Issue(error)
    }
}

pub struct Server {
    pub machine: Rc<Machine>,
    pub generator: Generator,
    pub ticker: Ticker,
    pub lease: Lease,
    pub pacer: Pacer,
    pub last_of_run: Cell<Tick>,
    pub ticker_at_extension: Cell<Tick>,
    /// Whether somebody holds the right to write the lease.
    pub writing: Cell<bool>,
    /// When the write under way is over.
    pub written_at: Cell<i64>,
    pub wake_keeper: Cell<bool>,
    /// Where the last lease ends that was replayed at the start, or as a standby.
    pub replayed: Option<i64>,
    /// So many steps of calls from now, one is interrupted.
    interrupt_in: Cell<u32>,
}

impl Server {
    pub fn new(machine: Rc<Machine>, replayed: Option<i64>) -> Self {
        Self {
            generator: machine.generator,
            machine,
            ticker: Ticker::default(),
            lease: Lease::default(),
            pacer: Pacer::default(),
            last_of_run: Cell::new(0),
            ticker_at_extension: Cell::new(0),
            writing: Cell::new(false),
            written_at: Cell::new(0),
            wake_keeper: Cell::new(false),
            replayed,
            interrupt_in: Cell::new(100),
        }
    }

    /// What the ID clock is ahead of true time, if IDs were asked for in this life.
    pub fn lead(&self) -> Option<i64> {
        let next = self.ticker.peek();
        (next != 0).then(|| self.machine.time_of(next) - self.machine.now.get())
    }

    pub fn max_drift(&self) -> u32 {
        self.machine.world.max_drift
    }

    /// The next ID of this server.
    #[inline]
    pub async fn next(&self, call: &mut Call) -> Result<i64, Refusal> {
        let Self { generator, ticker, lease, .. } = self;
        let floor = self.floor(call).await?;
        let limit = generator.limit(floor, self.max_drift()).min(lease.end());
        self.may_be_interrupted().await;
        let next = ticker.peek().max(floor);
        if next >= limit {
            self.hold(next).await?;
        }
        let tick = ticker.take(floor);
        self.may_be_interrupted().await;
        if tick >= limit {
            self.hold(tick).await?;
        }
        Ok(generator.id(tick))
    }

    /// The first tick of the current millisecond.
    #[inline]
    pub async fn floor(&self, call: &mut Call) -> Result<Tick, Refusal> {
        match self.read_floor(call) {
            Ok(floor) => Ok(floor),
            Err(error) => self.floor_off_range(error, call).await,
        }
    }

    #[inline]
    fn read_floor(&self, call: &mut Call) -> Result<Tick, IssueError> {
        let wall = self.machine.now.get() + self.machine.offset();
        call.reads(wall);
        self.machine.set_under_way(call.session, wall);
        self.generator.floor(&self.ticker, self.machine.wall_millis())
    }

    #[cold]
    async fn floor_off_range(&self, error: IssueError, call: &mut Call) -> Result<Tick, Refusal> {
        if error == IssueError::EpochInFuture && self.lease.end() == 0 {
            self.extend_for_caller(0).await?;
        }
        Ok(self.read_floor(call)?)
    }

    /// Returns when a tick may be returned: when the lease covers it and it is due.
    #[cold]
    pub async fn hold(&self, tick: Tick) -> Result<(), Refusal> {
        self.generator.check(tick)?;
        if tick >= self.lease.end() {
            self.extend_for_caller(tick).await?;
        }
        self.pace(tick).await
    }

    async fn pace(&self, tick: Tick) -> Result<(), Refusal> {
        let Self { generator, machine, .. } = self;
        let since = machine.now.get();
        loop {
            let id_clock = generator.start_micros(self.ticker.peek());
            let max_drift = i64::from(self.max_drift()) * MILLI;
            let start = generator.start_micros(tick);
            match self.pacer.wait(start, id_clock, machine.clocks(), max_drift, self.slack()) {
                0 => break,
                micros => self.nap(micros.max(NAP_MICROS)).await?,
            }
        }
        let waited = machine.now.get() - since;
        if waited > 0 {
            machine.count(|counts| {
                counts.paced_waits += 1;
                counts.paced_micros += waited.unsigned_abs();
            });
        }
        Ok(())
    }

    /// Wakes up a little late, and may be cancelled.
    async fn nap(&self, micros: i64) -> Result<(), Refusal> {
        let millis = micros.div_euclid(MILLI) + 1;
        let (late, cancelled) = self.machine.dice(|dice| (dice.i64(0..100), dice.u32(0..500) == 0));
        self.machine.sleep(millis * MILLI + late).await;
        if cancelled {
            self.machine.count(|counts| counts.cancelled += 1);
            return Err(Refusal::Cancelled);
        }
        Ok(())
    }

    fn slack(&self) -> i64 {
        let millis = (MAX_SESSIONS >> self.generator.layout().bits(Section::Sequence)) + 10;
        millis * MILLI
    }

    /// Now and then the operating system has something better to do than this session, wherever it
    /// is.
    #[inline]
    pub async fn may_be_interrupted(&self) {
        match self.interrupt_in.get() {
            0 => self.interrupted().await,
            left => self.interrupt_in.set(left - 1),
        }
    }

    #[cold]
    async fn interrupted(&self) {
        let (pause, next) = self.machine.dice(|dice| {
            let longest = dice.choice([20, 2_000, 50_000]).unwrap();
            (dice.i64(1..longest), dice.u32(0..5_000))
        });
        self.interrupt_in.set(next);
        self.machine.count(|counts| counts.interrupted += 1);
        self.machine.sleep(pause).await;
    }
}
