//! Promise 1 under fire: one server that goes down and comes back over and over, under load, and
//! one ledger of all that its clients were given.

use anyhow::{Context, Result};
use postgres::Client;
use snowflake_testkit::{Load, Node, Outage, time_to_first_id};

const SESSIONS: usize = 4;
const ROUNDS: usize = 13;

#[test]
fn no_id_returns_in_fifty_outages() -> Result<()> {
    // With the usual 4096 IDs a millisecond, the ID clock would hardly be ahead of the wall clock,
    // and a server that forgets everything would pass.
    let mut node = Node::builder("crash")
        .set("pg_snowflake.sequence_bits", "6")
        // Before it recovers, PostgreSQL fsyncs its thousand files one by one: most of an outage.
        .set("recovery_init_sync_method", "syncfs")
        .start()?;
    node.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    let load = Load::start(node.config("postgres"), SESSIONS, 100);
    let mut first_ids = Vec::new();
    for round in 0..ROUNDS {
        for outage in Outage::ALL {
            // Not always at the same point of a lease.
            for _ in 0..=round {
                load.wait_for_new_ids()?;
            }
            let context = || format!("{outage}, round {round}");
            outage.strike(&mut node, |_| Ok(())).with_context(context)?;
            first_ids.push(time_to_first_id(&node).with_context(context)?);
            load.wait_for_new_ids().with_context(context)?;
        }
    }
    let tally = load.stop()?;
    first_ids.sort();
    let [median, longest] = [first_ids.len() / 2, first_ids.len() - 1].map(|i| first_ids[i]);
    println!("{} outages, {} IDs, longest gap {:?}", first_ids.len(), tally.ids, tally.longest_gap);
    println!("First ID after the server was ready: median {median:?}, longest {longest:?}");
    assert_eq!(tally.errors, [""; 0]);
    assert_eq!(node.unexpected_log_lines(&Outage::LOG)?, [""; 0]);
    Ok(())
}

#[test]
fn a_clean_restart_skips_no_id() -> Result<()> {
    let mut node = Node::builder("restart").set("pg_snowflake.sequence_bits", "4").start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute("CREATE EXTENSION pg_snowflake")?;
    // Four seconds ahead of the wall clock, which does not catch up while the server restarts.
    let last = "SELECT max(snowflake_nextval()) FROM generate_series(1, 64000)";
    let last = client.query_one(last, &[])?.get(0);
    let before = tick(&mut client, last)?;
    drop(client);
    node.restart()?;
    let mut client = node.connect("postgres")?;
    let next = client.query_one("SELECT snowflake_nextval()", &[])?.get(0);
    assert_eq!(tick(&mut client, next)?, before + 1);
    assert_eq!(node.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}

/// The ID without its node: milliseconds and sequence, of 4 bits.
fn tick(client: &mut Client, id: i64) -> Result<i64> {
    let tick = "
        SELECT (extract(epoch FROM id_time) * 1000)::bigint * 16 + sequence
        FROM snowflake_decode($1)";
    Ok(client.query_one(tick, &[&id])?.get(0))
}
