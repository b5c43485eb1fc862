//! A thousand servers at once, in simulated time: no ID twice, and order as good as it is said to be.
//!
//! `cargo run --release -p snowflake-core --example simulate -- --ids 1000000000 --json FILE`
#![cfg(not(loom))]
#![allow(clippy::unwrap_used)]

#[path = "../tests/simulator/mod.rs"]
mod simulator;

use clap::Parser;
use simulator::capacity::{Capacity, grouped};
use simulator::order::DISTANCES;
use simulator::report::{Total, widths};
use simulator::world::{LAYOUTS, Outcome, World};
use simulator::{machine::SECOND, series};
use snowflake_core::Layout;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// IDs between two signs of life.
const PROGRESS: u64 = 100_000_000;

/// Simulates many servers until they have issued this many IDs, and checks what they issued.
#[derive(Parser)]
struct Options {
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

fn main() -> ExitCode {
    let options = Options::parse();
    let capacities = LAYOUTS.map(|([datacenter, machine, sequence], _)| {
        Capacity::of(Layout::new(datacenter, machine, sequence).unwrap())
    });
    println!("{}", Capacity::HEADINGS);
    capacities.iter().for_each(|capacity| println!("{}", capacity.row()));

    let start = Instant::now();
    let simulated = AtomicU64::new(0);
    let look = |outcome: &Outcome| {
        report_findings(outcome);
        let before = simulated.fetch_add(outcome.ids, Ordering::Relaxed);
        let now = before + outcome.ids;
        if before / PROGRESS != now / PROGRESS {
            eprintln!("{} IDs ...", grouped(now / PROGRESS * PROGRESS));
        }
    };
    let world = |number| World::of_series(number, options.seed);
    let outcomes = series::run(world, options.ids, options.threads, look);
    let seconds = start.elapsed().as_secs_f64();

    let by_regime = Total::by(&outcomes, |world| name(&world.regime));
    let by_layout = Total::by(&outcomes, widths);
    let total = Total::new("all".to_owned(), outcomes.iter());
    println!("\n{}", Total::HEADINGS);
    by_regime.iter().chain(&by_layout).chain([&total]).for_each(|it| println!("{}", it.row()));
    print_distances(&outcomes);
    println!(
        "\n{} IDs in {seconds:.0} s, seed {}: {} duplicates; {} of {} worlds with findings",
        grouped(total.ids),
        options.seed,
        total.duplicates,
        total.worlds_with_findings,
        total.worlds
    );
    if let Some(path) = options.json {
        let json = serde_json::json!({
            "seed": options.seed, "seconds": seconds, "capacities": capacities, "total": total,
            "by_regime": by_regime, "by_layout": by_layout, "worlds": outcomes,
        });
        std::fs::write(path, format!("{json:#}\n")).unwrap();
    }
    ExitCode::from(u8::from(total.worlds_with_findings > 0))
}

fn report_findings(outcome: &Outcome) {
    if !outcome.findings.are_none() {
        eprintln!("{:#?}\n{:#?}", outcome.world, outcome.findings);
    }
}

/// As it is in JSON.
fn name(regime: &impl serde::Serialize) -> String {
    serde_json::to_value(regime).unwrap().as_str().unwrap().replace('_', " ")
}

/// Of pairs in worlds where nothing goes wrong.
fn print_distances(outcomes: &[Outcome]) {
    let steady: Vec<_> =
        outcomes.iter().filter(|outcome| outcome.world.regime.faults().is_empty()).collect();
    println!("\nPairs out of order where clocks are up to 10 s wrong and nothing else is:");
    for (index, distance) in DISTANCES.iter().enumerate() {
        let sum: f64 = steady.iter().map(|outcome| outcome.shares_by_distance[index]).sum();
        let (seconds, share) = (*distance as f64 / SECOND as f64, sum / steady.len() as f64);
        println!("{seconds} s apart: {:.2}%", 100.0 * share);
    }
}
