//! `make soak`: a great many IDs from one server that is killed, restarted and stepped through time
//! over and over, and every single ID compared with all the others.
//!
//! The soak is cut into segments between which no request is under way. Within a segment the ledger
//! has every ID. The IDs of a segment must be above those of all segments before it, as they were
//! asked for after those had been returned; so an ID that occurs twice is caught either way.

mod figures;

use std::{ops::RangeInclusive, process::ExitCode, time::Duration};

use anyhow::{Context, Result, anyhow, ensure};
use clap::Parser;
use fastrand::Rng;
use snowflake_testkit::{
    DEADLINE, Load, Node, Outage, Tally, grouped, interrupt, ledger::Fault, shim::Call,
    time_to_first_id,
};

use figures::Figures;

const SESSIONS: usize = 4;
/// Ten rows of a thousand IDs: few large rows are quick to receive, and a reply can still be cut off
/// in its midst. The sum makes the subquery depend on the row, so that it runs for every row.
const QUERY: &str = "
    SELECT (SELECT array_agg(snowflake_nextval()) FROM generate_series(1, 1000 + 0 * n))
    FROM generate_series(1, 10) AS n";
const IDS_PER_SEGMENT: u64 = 10_000_000;
const MILLI: f64 = 1e6;
const DAY: f64 = 24.0 * 3600.0 * 1e9;
/// The first ID after a start is to come within 50 ms; this is for a machine that is busy.
const GENEROUS: Duration = Duration::from_secs(1);
const STEPPED_FORWARD: &str = "WARNING:  the wall clock has stepped forward by ";
/// How much longer an fsync of the lease takes while the disk is slow, in milliseconds.
const SLOW: RangeInclusive<u64> = 300..=3_000;

/// Soaks one private server; ends with a table of figures, and with an error if an ID occurred twice
/// or out of order.
#[derive(Parser)]
struct Arguments {
    /// Go on until this many IDs have been returned
    #[arg(long, default_value_t = 1_000_000_000)]
    ids: u64,
    /// Go on until the server has been taken down this many times
    #[arg(long, default_value_t = 500)]
    cycles: u32,
    /// What happens when depends on this alone
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    println!(
        "{} IDs, {} outages, seed {}",
        grouped(arguments.ids),
        arguments.cycles,
        arguments.seed
    );
    let mut figures = Figures::new();
    let outcome = soak(&arguments, &mut figures);
    println!("\n{figures}");
    interrupt::exit_code("The soak", outcome.map(|()| true))
}

fn soak(arguments: &Arguments, figures: &mut Figures) -> Result<()> {
    interrupt::catch()?;
    let node = Node::builder("soak")
        .with_clock()
        .with_faults()
        // A quarter of the usual IDs a millisecond, so that load alone pushes the ID clock ahead.
        .set("pg_snowflake.sequence_bits", "10")
        // Before it recovers, PostgreSQL fsyncs its thousand files one by one: most of an outage.
        .set("recovery_init_sync_method", "syncfs")
        .start()?;
    node.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    let rng = Rng::with_seed(arguments.seed);
    let mut soak = Soak { arguments, figures, node, rng, slow: Duration::ZERO, highest: i64::MIN };
    while !soak.is_over(0) {
        soak.segment()?;
        soak.report_progress();
    }
    let explained = [&Outage::LOG[..], &[STEPPED_FORWARD]].concat();
    let unexpected = soak.node.unexpected_log_lines(&explained)?;
    ensure!(unexpected.is_empty(), "in the server's log: {unexpected:?}");
    let slowest = soak.figures.slowest_first_id;
    ensure!(slowest < GENEROUS, "the first ID after a start took {slowest:?}");
    soak.node.stop()
}

struct Soak<'a> {
    arguments: &'a Arguments,
    figures: &'a mut Figures,
    node: Node,
    rng: Rng,
    /// How much longer an fsync of the lease takes now.
    slow: Duration,
    /// The largest ID of the segments so far.
    highest: i64,
}

impl Soak<'_> {
    /// Whether enough has happened, with `ids` IDs that are not counted yet.
    fn is_over(&self, ids: u64) -> bool {
        self.figures.ids + ids >= self.arguments.ids
            && self.figures.all_outages() >= self.arguments.cycles
    }

    fn segment(&mut self) -> Result<()> {
        let load = Load::running(self.node.config("postgres"), SESSIONS, QUERY);
        while load.ids() < IDS_PER_SEGMENT && !self.is_over(load.ids()) {
            load.wait_for_new_ids()?;
            self.dwell(&load)?;
            step_perhaps(&self.node, &mut self.rng, self.figures)?;
            self.slow_down_perhaps()?;
            self.dwell(&load)?;
            self.go_down()?;
        }
        load.wait_for_new_ids()?;
        self.figures.ids += load.ids();
        let outcome = load.stop().and_then(|tally| self.enter(&tally));
        if let Err(error) = &outcome {
            self.figures.fault = error.downcast_ref::<Fault>().cloned();
        }
        outcome
    }

    /// Lets the load work undisturbed: twice between two outages, and so long that IDs and outages
    /// reach their goals together.
    fn dwell(&mut self, load: &Load) -> Result<()> {
        let average = self.arguments.ids / u64::from(self.arguments.cycles.max(1));
        let until = load.ids() + self.rng.u64(..=average.min(IDS_PER_SEGMENT));
        interrupt::wait_for("IDs", DEADLINE, || Ok(load.ids() >= until))
    }

    fn go_down(&mut self) -> Result<()> {
        let outage = self.rng.choice(Outage::ALL).context("no outages")?;
        let Self { node, figures, rng, .. } = self;
        outage
            .strike(node, |node| step_perhaps(node, rng, figures))
            .with_context(|| outage.to_string())?;
        figures.count(outage);
        let first_id = time_to_first_id(node)?;
        if self.slow.is_zero() {
            figures.slowest_first_id = figures.slowest_first_id.max(first_id);
        } else {
            figures.slowest_first_id_slow = figures.slowest_first_id_slow.max(first_id);
            // The write that is under way, and the one that covers this ID.
            let most = 2 * self.slow + GENEROUS;
            ensure!(first_id < most, "the first ID took {first_id:?}, a write {:?}", self.slow);
        }
        Ok(())
    }

    /// Every fourth outage meets a server whose disk is slow, and which finds it so when it comes back.
    fn slow_down_perhaps(&mut self) -> Result<()> {
        let faults = self.node.faults()?;
        self.slow = match self.rng.u8(..4) {
            0 => Duration::from_millis(self.rng.u64(SLOW)),
            _ => Duration::ZERO,
        };
        if self.slow.is_zero() {
            faults.heal();
        } else {
            faults.delay(Call::Fsync, self.slow);
            self.figures.slow_disks += 1;
        }
        Ok(())
    }

    fn enter(&mut self, tally: &Tally) -> Result<()> {
        let range = tally.ledger.range().context("a segment without IDs")?;
        if *range.start() <= self.highest {
            return Err(Fault::Inversion(self.highest, *range.start()).into());
        }
        self.highest = *range.end();
        match tally.errors.first() {
            Some(error) => Err(anyhow!("{} errors, the first: {error}", tally.errors.len())),
            None => Ok(()),
        }
    }

    fn report_progress(&self) {
        println!(
            "{} IDs, {} outages, {} steps of the clock, {} s",
            grouped(self.figures.ids),
            self.figures.all_outages(),
            self.figures.clock_steps,
            self.figures.seconds()
        );
    }
}

/// Sets the clock forward or back, every other time. Steps of a millisecond are as likely as steps
/// of a second or an hour; the clock stays within two days of the true time.
fn step_perhaps(node: &Node, rng: &mut Rng, figures: &mut Figures) -> Result<()> {
    if rng.bool() {
        let nanos = MILLI * (DAY / MILLI).powf(rng.f64());
        let nanos = if rng.bool() { nanos } else { -nanos };
        let clock = node.clock()?;
        clock.set((clock.offset() as f64 + nanos).clamp(-2.0 * DAY, 2.0 * DAY) as i64);
        figures.clock_steps += 1;
    }
    Ok(())
}
