//! The simulation at full size: `cargo run --release -p snowflake-sim -- worlds --ids 1000000000 --json FILE`,
//! and `... -- faults` for every fault at every step.
#![allow(clippy::unwrap_used)]

use clap::Parser;
use snowflake_core::Layout;
use snowflake_sim::faults::Found;
use snowflake_sim::scenarios;
use snowflake_sim::worlds::capacity::{Capacity, grouped};
use snowflake_sim::worlds::report::Total;
use snowflake_sim::worlds::series;
use snowflake_sim::worlds::world::{LAYOUTS, Outcome, World};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// IDs between two signs of life.
const PROGRESS: u64 = 100_000_000;

/// Simulates servers: the code that runs in PostgreSQL, on simulated clocks, disks and WAL.
#[derive(Parser)]
enum Command {
    /// Many servers at once, until they have issued this many IDs; checks what they issued
    Worlds(Worlds),
    /// Small scenarios, with every fault at every step
    Faults(Faults),
}

#[derive(clap::Args)]
struct Worlds {
    /// How many IDs there are to be, at least
    #[arg(long, default_value_t = 1_000_000_000)]
    ids: u64,
    /// What everything follows from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many worlds are simulated at a time; changes nothing about what comes out
    #[arg(long, default_value_t = std::thread::available_parallelism().map_or(1, usize::from))]
    threads: usize,
    /// Where to write all figures, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(clap::Args)]
struct Faults {
    /// How many faults a run has at most
    #[arg(long, default_value_t = 2)]
    deep: usize,
}

fn main() -> ExitCode {
    let all_is_well = match Command::parse() {
        Command::Worlds(options) => worlds(options),
        Command::Faults(options) => faults(&options),
    };
    ExitCode::from(u8::from(!all_is_well))
}

fn worlds(options: Worlds) -> bool {
    let capacities = LAYOUTS.map(|([datacenter, machine, sequence], _)| {
        Capacity::of(Layout::new(datacenter, machine, sequence).unwrap())
    });
    let start = Instant::now();
    let simulated = AtomicU64::new(0);
    let look = |outcome: &Outcome| {
        if !outcome.findings.are_none() {
            eprintln!("{:#?}\n{:#?}", outcome.world, outcome.findings);
        }
        let before = simulated.fetch_add(outcome.ids, Ordering::Relaxed);
        let now = before + outcome.ids;
        if before / PROGRESS != now / PROGRESS {
            eprintln!("{} IDs ...", grouped(now / PROGRESS * PROGRESS));
        }
    };
    let world = |number| World::of_series(number, options.seed);
    let outcomes = series::run(world, options.ids, options.threads, look);
    let seconds = start.elapsed().as_secs_f64();
    let total = Total::new(&outcomes);
    total.counts.iter().for_each(|(event, times)| println!("{event}: {}", grouped(*times)));
    println!("causal pairs: {}, {} out of order", grouped(total.causal_pairs), total.below_shown);
    println!(
        "{} IDs in {seconds:.0} s, seed {}: {} duplicates; {} of {} worlds with findings",
        grouped(total.ids),
        options.seed,
        total.duplicates,
        total.worlds_with_findings,
        total.worlds
    );
    let all_is_well = total.worlds_with_findings == 0;
    if let Some(path) = options.json {
        let json = serde_json::json!({
            "seed": options.seed, "seconds": seconds, "capacities": capacities, "total": total,
            "worlds": outcomes,
        });
        if let Err(error) = std::fs::write(&path, format!("{json:#}\n")) {
            eprintln!("error: could not write {}: {error}", path.display());
            return false;
        }
    }
    all_is_well
}

fn faults(options: &Faults) -> bool {
    let search = |scenario: &scenarios::Scenario| {
        let start = Instant::now();
        let found = scenario.search(None, options.deep);
        report(scenario.name, &found, start.elapsed().as_secs_f64());
        found.violations == 0
    };
    std::thread::scope(|scope| {
        let all = scenarios::ALL.iter().map(|scenario| scope.spawn(|| search(scenario)));
        let all: Vec<_> = all.collect();
        // All of them, whatever the first one says.
        let all: Vec<_> = all.into_iter().map(|it| it.join().unwrap()).collect();
        all.into_iter().all(|it| it)
    })
}

fn report(name: &str, found: &Found, seconds: f64) {
    println!("{name}: {} runs, {} with a violation, {seconds:.1} s", found.runs, found.violations);
    if let Some((schedule, outcome)) = &found.worst {
        println!("  {schedule:?}\n  {}", outcome.story.join("\n  "));
        println!("  {}", outcome.violations.join("\n  "));
    }
}
