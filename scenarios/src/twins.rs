//! Scenario 5: two nodes of a mesh have one identity, the one mistake that makes IDs collide. The
//! guard and the audit find it out.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use postgres::Client;
use serde_json::json;
use snowflake_testkit::{DEADLINE, Node, guard::Noticed, interrupt, ledger::repeated};

use crate::{
    mesh::Mesh,
    options::seconds,
    report::{Claim, Report},
};

/// Nodes 0 and 1 share an identity, node 2 has its own.
pub const MACHINES: [u32; 3] = [1, 1, 2];

const ROWS: i64 = 100;
const OWN: &str = "SELECT coalesce(sum(not_issued), 0)::bigint
                   FROM snowflake_audit('orders', 'id') WHERE this_node";

/// How it is run.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Seconds under load
    #[arg(long = "seconds", value_parser = seconds, default_value = "5")]
    pub time: Duration,
    /// Requests a second, all nodes together; with fewer, the twins seldom meet in a millisecond
    #[arg(long = "rate", default_value_t = 2_000)]
    pub per_second: u32,
}

/// Runs the scenario.
pub fn run(options: &Options) -> Result<Report> {
    let mesh = Mesh::start(&MACHINES)?;
    let mut claims = noticed(&mesh)?;
    claims.extend(kept_out(&mesh)?);
    mesh.unguard()?;
    let collisions = collisions(&mesh, options)?;
    claims.push(Claim::at_least("without guards: IDs that two clients were given", collisions, 1));
    let data = json!({
        "rows": ROWS,
        "requests_per_second": options.per_second,
        "seconds": options.time.as_secs_f64(),
        "collisions": collisions,
    });
    let (scenario, conditions) = ("Two nodes with one identity".to_owned(), mesh.conditions()?);
    Ok(Report { scenario, conditions, claims, data })
}

/// Node 1 and node 2 write, node 0 has issued nothing yet.
fn noticed(mesh: &Mesh) -> Result<Vec<Claim>> {
    write(&mesh.nodes()[1])?;
    write(&mesh.nodes()[2])?;
    let arrived = mesh.time_to_converge(2 * ROWS, DEADLINE)?.is_some();
    let names = ["the node without IDs of its own", "its twin", "the third node"];
    let mut claims = vec![Claim::holds("rows arrive everywhere", arrived)];
    for (node, (name, bar)) in mesh.nodes().iter().zip(names.into_iter().zip([ROWS, 0, 0])) {
        let rows = i64::try_from(noticed_rows(node)?)?;
        claims.push(Claim::equal(format!("rows the guard warned of on {name}"), rows, bar));
        let rows = not_issued(&mut node.connect("postgres")?)?;
        claims.push(Claim::equal(format!("not_issued in the audit on {name}"), rows, bar));
    }
    Ok(claims)
}

/// A guard with `'error'` on node 0 stops what comes from its twin, and nothing else.
fn kept_out(mesh: &Mesh) -> Result<Vec<Claim>> {
    let node = &mesh.nodes()[0];
    mesh.guard(0, "'error'")?;
    let (before, warned) = (mesh.rows_by_origin()?, noticed_rows(node)?);
    write(&mesh.nodes()[1])?;
    interrupt::wait_for("the guard to refuse", DEADLINE, || Ok(noticed_rows(node)? > warned))?;
    write(&mesh.nodes()[2])?;
    interrupt::wait_for("the third node's rows", DEADLINE, || {
        Ok(mesh.rows_by_origin()?[0][2] == before[0][2] + ROWS)
    })?;
    let arrived = mesh.rows_by_origin()?;
    // From now on the twin's IDs are below the node's own, and get in when the subscription tries them again.
    write(node)?;
    let after = mesh.rows_by_origin()?;
    let new = |rows: &[Vec<i64>], from: usize| rows[0][from] - before[0][from];
    Ok(vec![
        Claim::equal("guard 'error': rows of the twin that got in", new(&arrived, 1), 0),
        Claim::equal("guard 'error': rows of the third node that got in", new(&arrived, 2), ROWS),
        Claim::equal("guard 'error': rows of its own", new(&after, 0), ROWS),
    ])
}

/// How many IDs clients of different nodes were given in common, under the load of scenario 2.
fn collisions(mesh: &Mesh, options: &Options) -> Result<usize> {
    let answers = mesh.ask(options.per_second, options.time, DEADLINE)?.finish();
    Ok(repeated(answers.ledgers.iter().flat_map(|ledger| ledger.ids())))
}

fn write(node: &Node) -> Result<()> {
    let sql = format!("INSERT INTO orders SELECT FROM generate_series(1, {ROWS})");
    Ok(node.connect("postgres")?.batch_execute(&sql)?)
}

fn noticed_rows(node: &Node) -> Result<usize> {
    Ok(Noticed::in_log(&node.log()?).rows)
}

fn not_issued(client: &mut Client) -> Result<i64> {
    Ok(client.query_one(OWN, &[])?.get(0))
}
