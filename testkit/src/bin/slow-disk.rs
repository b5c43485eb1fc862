//! What sessions notice of a slow disk, for `make bench`: one server whose lease takes seconds to write, in turns with
//! the same server when it does not. Prints a line for each round:
//!
//!     <calls a second without delay> <with> <ms of the longest call without> <with>
//!         <slow writes that a session waited for, after the first> <writes under way at once>
//!
//! and at last the milliseconds of the longest call of all, while the lease got used to the disk included.

use std::{
    process::ExitCode,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use clap::Parser;
use postgres::{Client, Config, NoTls};
use snowflake_testkit::{
    DEADLINE, Node, interrupt, latency::milliseconds, ledger::stamp, shim::Call,
};

const CLIENTS: usize = 4;
const NEXT: &str = "SELECT snowflake_nextval()";

/// Measures calls of four clients while an fsync of the lease takes long, and while it does not
#[derive(Parser)]
struct Arguments {
    /// How often it is slow
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// For how long it is measured, with and without
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How much longer an fsync takes, in milliseconds
    #[arg(long, default_value_t = 3_000)]
    delay: u64,
}

fn main() -> ExitCode {
    interrupt::exit_code("slow-disk", measure(&Arguments::parse()).map(|()| true))
}

fn measure(arguments: &Arguments) -> Result<()> {
    interrupt::catch()?;
    let (time, delay) =
        (Duration::from_secs(arguments.seconds), Duration::from_millis(arguments.delay));
    let mut node = Node::builder("slow").with_faults().start()?;
    let mut monitor = node.connect("postgres")?;
    monitor.batch_execute("CREATE EXTENSION pg_snowflake")?;
    let calls = Calls::default();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| scope.spawn(|| calls.make_until_done(&node.config("postgres"))))
            .collect();
        let mut rounds = 0..arguments.rounds;
        let measured = rounds.try_for_each(|_| round(&node, &mut monitor, &calls, time, delay));
        calls.done.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().expect("a client does not panic")?;
        }
        measured
    })?;
    println!("{}", milliseconds(calls.longest_of_all()));
    ensure!(node.unexpected_log_lines(&[])?.is_empty());
    node.stop()
}

/// Prints a line.
fn round(
    node: &Node,
    monitor: &mut Client,
    calls: &Calls,
    time: Duration,
    delay: Duration,
) -> Result<()> {
    wait_for_renewals(monitor, 1)?;
    let (without, longest_without) = calls.over(time)?;
    node.faults()?.delay(Call::Fsync, delay);
    // One may have begun before.
    wait_for_renewals(monitor, 1)?;
    let begin = stamp();
    wait_for_renewals(monitor, 1)?;
    let before = number(monitor, "renewals_by_sessions")?;
    let (with, longest_with) = calls.over(time)?;
    let waited_for = number(monitor, "renewals_by_sessions")? - before;
    let between = begin..stamp();
    node.faults()?.heal();
    let at_once = node.history()?.syncs_at_once(&between, delay);
    println!("{without:.0} {with:.0} {longest_without} {longest_with} {waited_for} {at_once}");
    Ok(())
}

fn wait_for_renewals(monitor: &mut Client, count: i64) -> Result<()> {
    let end = number(monitor, "renewals")? + count;
    interrupt::wait_for("renewals", DEADLINE, || Ok(number(monitor, "renewals")? >= end))
}

fn number(monitor: &mut Client, column: &str) -> Result<i64> {
    Ok(monitor.query_one(&format!("SELECT {column} FROM snowflake_status()"), &[])?.get(0))
}

/// What clients have seen.
#[derive(Default)]
struct Calls {
    done: AtomicBool,
    count: AtomicU64,
    /// Nanoseconds, since it was looked at last.
    longest: AtomicU64,
    longest_of_all: AtomicU64,
}

impl Calls {
    fn make_until_done(&self, config: &Config) -> Result<()> {
        let mut client = config.connect(NoTls)?;
        let query = client.prepare(NEXT)?;
        while !self.done.load(Ordering::Relaxed) {
            let start = Instant::now();
            client.query_one(&query, &[])?;
            let took = u64::try_from(start.elapsed().as_nanos())?;
            self.count.fetch_add(1, Ordering::Relaxed);
            self.longest.fetch_max(took, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Calls a second, and the milliseconds of the longest, over so long.
    fn over(&self, time: Duration) -> Result<(f64, f64)> {
        self.look();
        let (before, start) = (self.count.load(Ordering::Relaxed), Instant::now());
        interrupt::pause(time)?;
        let count = self.count.load(Ordering::Relaxed) - before;
        let per_second = count as f64 / start.elapsed().as_secs_f64();
        Ok((per_second, milliseconds(self.look())))
    }

    fn look(&self) -> Duration {
        let longest = self.longest.swap(0, Ordering::Relaxed);
        self.longest_of_all.fetch_max(longest, Ordering::Relaxed);
        Duration::from_nanos(longest)
    }

    fn longest_of_all(&self) -> Duration {
        self.look();
        Duration::from_nanos(self.longest_of_all.load(Ordering::Relaxed))
    }
}
