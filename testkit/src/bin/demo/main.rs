//! `make demo`: pg_snowflake at work on a private server, in a few seconds.

mod stage;

use std::{process::ExitCode, time::Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use snowflake_testkit::{Node, grouped, interrupt, processes_in};

use stage::Stage;

const ROWS: u32 = 1_000_000;

/// Shows pg_snowflake at work on a private server that is gone afterwards.
#[derive(Parser)]
struct Arguments {
    /// Leave me in psql on that server at the end
    #[arg(long)]
    psql: bool,
}

fn main() -> ExitCode {
    interrupt::exit_code("The demo", perform(&Arguments::parse()).map(|()| true))
}

fn perform(arguments: &Arguments) -> Result<()> {
    interrupt::catch()?;
    println!("pg_snowflake: sortable 64-bit IDs, made inside PostgreSQL\n");
    let mut node = start()?;
    let stage = Stage::new(&node);
    first_ids(&stage)?;
    apart(&stage)?;
    many_rows(&stage)?;
    if arguments.psql {
        explore(&node)?;
    }
    node.stop()?;
    vanish(node)
}

fn start() -> Result<Node> {
    let begin = Instant::now();
    let node = Node::builder("demo")
        .start()
        .context("the server did not start; is pg_snowflake installed for that PostgreSQL?")?;
    let facts = node.connect("postgres")?.query_one(
        "SELECT current_setting('server_version'), current_setting('pg_snowflake.datacenter_id'), \
         current_setting('pg_snowflake.machine_id')",
        &[],
    )?;
    let [version, datacenter, machine] = [0, 1, 2].map(|i| facts.get::<_, String>(i));
    let version = version.split(' ').next().unwrap_or_default();
    println!(
        "A private PostgreSQL {version} is up after {:.1} s, in {}.",
        begin.elapsed().as_secs_f64(),
        node.home().display()
    );
    println!(
        "It makes IDs as datacenter {datacenter}, machine {machine}. No other server is touched."
    );
    Ok(node)
}

fn first_ids(stage: &Stage) -> Result<()> {
    stage.step("A table that makes its own IDs", "One default is all it takes.")?;
    stage.show("CREATE EXTENSION pg_snowflake;")?;
    stage.show(
        "CREATE TABLE orders (\n    id   bigint PRIMARY KEY DEFAULT snowflake_nextval(),\n    note text\n);",
    )?;
    stage.show("INSERT INTO orders (note) SELECT 'hi' FROM generate_series(1, 3)\nRETURNING id;")
}

fn apart(stage: &Stage) -> Result<()> {
    stage.step(
        "Every ID says when and where it was made",
        "The time comes first in it, so sorting by ID is sorting by age.",
    )?;
    stage.show("SELECT id, part.* FROM orders, snowflake_decode(id) AS part;")?;
    stage.show("SELECT clock_timestamp() AS now;")
}

fn many_rows(stage: &Stage) -> Result<()> {
    let rows = grouped(ROWS.into());
    stage.step(
        &format!("{rows} rows"),
        "The disk is synced as in production, nothing is switched off.",
    )?;
    let begin = Instant::now();
    stage
        .show(&format!("INSERT INTO orders (note) SELECT 'hi' FROM generate_series(1, {ROWS});"))?;
    let seconds = begin.elapsed().as_secs_f64();
    let rate = grouped((f64::from(ROWS) / seconds / 1000.0).round() as u64 * 1000);
    stage.say(&format!(
        "Done in {seconds:.1} s, about {rate} rows a second, with the primary key's index."
    ))?;
    stage.show("SELECT count(*) AS rows, count(DISTINCT id) AS ids FROM orders;")?;
    let all_distinct = "SELECT count(DISTINCT id) = count(*) FROM orders";
    ensure!(stage.value(all_distinct)? == "t", "an ID was issued twice");
    stage.say("No two rows share an ID.")
}

fn explore(node: &Node) -> Result<()> {
    println!("The server is yours now, with the table \"orders\" on it. Type \\q to finish.\n");
    // There, it cancels a query.
    interrupt::lend_keyboard(|| interrupt::run(&mut node.psql(&[])))?;
    println!();
    Ok(())
}

fn vanish(node: Node) -> Result<()> {
    let home = node.home().to_owned();
    drop(node);
    ensure!(
        processes_in(&home)?.is_empty() && !home.exists(),
        "something is left of the server in {}",
        home.display()
    );
    println!("The server is stopped and its directory removed. Nothing is left running.");
    Ok(())
}
