//! Conversations across nodes whose clocks disagree: with a witness at each node, every reply has a greater ID than
//! the message that it answers. Without, as the control, those of a node that is behind do not.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::Args;
use postgres::Client;
use serde::Serialize;
use serde_json::json;
use snowflake_testkit::interrupt;

use crate::{
    mesh::Mesh,
    options::seconds,
    report::{Claim, Report},
};

const MACHINES: [u32; 3] = [3, 1, 2];
/// How far the clocks of the nodes are behind, in seconds.
const BEHIND: [i64; 3] = [0, 2, 4];
/// Where nothing has come.
const PAUSE: Duration = Duration::from_millis(2);
const SECOND: i64 = 1_000_000_000;

const BEGIN: &str = "INSERT INTO orders (node, note) SELECT 0, '' FROM generate_series(1, $1)";
/// A node answers all that has come from the node before it, once.
const ANSWER: &str = "
    INSERT INTO orders (node, note)
    SELECT $1, id::text FROM orders AS message
    WHERE node = $2 AND NOT EXISTS (SELECT FROM orders AS reply WHERE reply.note = message.id::text)";
const COUNT: &str = "
    SELECT count(*), count(*) FILTER (WHERE reply.id < message.id)
    FROM orders AS reply JOIN orders AS message ON reply.note = message.id::text";

/// How it is run.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Seconds that nodes answer each other, with witnesses and without
    #[arg(long = "seconds", value_parser = seconds, default_value = "20")]
    pub time: Duration,
    /// Conversations at a time
    #[arg(long = "conversations", default_value_t = 100)]
    pub conversations: u32,
    /// How soon all tables have to be equal afterwards
    #[arg(skip = Duration::from_secs(60))]
    pub converge: Duration,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Outcome {
    replies: i64,
    below: i64,
    converged: bool,
}

/// Runs the scenario.
pub fn run(options: &Options) -> Result<Report> {
    let mesh = start()?;
    let conditions = mesh.conditions()?;
    let control = Outcome::of(&mesh, options)?;
    let mut claims = vec![mesh.quiet_logs()?];
    drop(mesh);
    let mesh = start()?;
    mesh.witness()?;
    let witnessed = Outcome::of(&mesh, options)?;
    claims.push(mesh.quiet_logs()?);
    claims.push(Claim::holds(
        "tables are equal in the end",
        witnessed.converged && control.converged,
    ));
    claims.push(Claim::at_least("replies with witnesses", witnessed.replies, 1_000));
    claims.push(Claim::equal("those below their message", witnessed.below, 0));
    let many = control.replies.max(1_000) / 10;
    claims.push(Claim::at_least(
        "without witnesses: replies below their message",
        control.below,
        many,
    ));
    let data = json!({
        "seconds": options.time.as_secs_f64(),
        "conversations": options.conversations,
        "seconds_behind": BEHIND,
        "with_witnesses": witnessed,
        "without": control,
    });
    Ok(Report { scenario: "Conversations".to_owned(), conditions, claims, data })
}

fn start() -> Result<Mesh> {
    let mesh = Mesh::start_with(&MACHINES, |node| node.with_clock())?;
    for (node, seconds) in mesh.nodes().iter().zip(BEHIND) {
        node.clock()?.step(-seconds * SECOND);
    }
    for client in &mut mesh.clients()? {
        client.batch_execute("CREATE INDEX ON orders (note); CREATE INDEX ON orders (node)")?;
    }
    Ok(mesh)
}

impl Outcome {
    fn of(mesh: &Mesh, options: &Options) -> Result<Self> {
        let mut clients = mesh.clients()?;
        clients[0].execute(BEGIN, &[&i32::try_from(options.conversations)?])?;
        let end = Instant::now() + options.time;
        let sent = thread::scope(|scope| {
            let sides = clients.iter_mut().enumerate();
            let sides = sides.map(|(node, client)| scope.spawn(move || answer(client, node, end)));
            // All of them have to run before one is waited for.
            let sides: Vec<_> = sides.collect();
            sides.into_iter().map(|side| side.join().expect("a side panicked")).sum::<Result<u64>>()
        })?;
        let rows = i64::try_from(sent)? + i64::from(options.conversations);
        let converged = mesh.time_to_converge(rows, options.converge)?.is_some();
        let counts = clients[0].query_one(COUNT, &[])?;
        Ok(Self { replies: counts.get(0), below: counts.get(1), converged })
    }
}

/// Answers until the end; returns how often.
fn answer(client: &mut Client, node: usize, end: Instant) -> Result<u64> {
    let before = (node + MACHINES.len() - 1) % MACHINES.len();
    let (node, before) = (i32::try_from(node)?, i32::try_from(before)?);
    let answer = client.prepare(ANSWER)?;
    let mut answers = 0;
    while Instant::now() < end {
        interrupt::check()?;
        match client.execute(&answer, &[&node, &before])? {
            0 => interrupt::pause(PAUSE)?,
            more => answers += more,
        }
    }
    Ok(answers)
}
