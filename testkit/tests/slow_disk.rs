//! A disk whose fsync takes seconds, or never ends: IDs keep flowing, and a session that has to wait can be cancelled.

use std::{thread, time::Duration};

use anyhow::{Result, ensure};
use postgres::Client;
use snowflake_testkit::{DEADLINE, Load, Node, ledger::stamp, refusal, shim::Call, wait_for};

const NEXT: &str = "SELECT snowflake_nextval()";
const TERMINATED: &str = "terminating connection due to administrator command";
const SLOW: Duration = Duration::from_secs(3);

fn start(name: &str) -> Result<(Node, Client)> {
    let node = Node::builder(name).with_faults().start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute("CREATE EXTENSION pg_snowflake")?;
    Ok((node, client))
}

fn number(client: &mut Client, column: &str) -> Result<i64> {
    Ok(client.query_one(&format!("SELECT {column} FROM snowflake_status()"), &[])?.get(0))
}

/// The lease lasts for several writes, so from the second slow one on no session comes to its end.
#[test]
fn sessions_do_not_wait_for_a_slow_disk() -> Result<()> {
    let (node, mut monitor) = start("slow")?;
    let load = Load::start(node.config("postgres"), 4, 1);
    load.wait_for_new_ids()?;
    node.faults()?.delay(Call::Fsync, SLOW);
    let mut renewals = |n: i64| -> Result<()> {
        let end = number(&mut monitor, "renewals")? + n;
        wait_for("renewals", DEADLINE, || Ok(number(&mut monitor, "renewals")? >= end))
    };
    renewals(2)?;
    let begin = stamp();
    let before = number(&mut node.connect("postgres")?, "renewals_by_sessions")?;
    renewals(3)?;
    let between = begin..stamp();
    let after = number(&mut node.connect("postgres")?, "renewals_by_sessions")?;
    node.faults()?.heal();
    let tally = load.stop()?;
    tally.ledger.check()?;
    let history = node.history()?;
    history.check(&tally.ledger)?;
    let at_once = history.syncs_at_once(&between, SLOW);
    ensure!(at_once == 1, "{at_once} writes were under way at once");
    ensure!(after == before, "{} writes were waited for", after - before);
    ensure!(node.unexpected_log_lines(&["writing the snowflake lease took"])?.is_empty());
    ensure!(node.log()?.contains("WARNING:  writing the snowflake lease took 3"));
    Ok(())
}

/// Asks for an ID where the lease is used up and the disk hangs, and ends the session's wait somehow.
fn interrupted(end: impl FnOnce(&Node, i32) -> Result<()>, before: &str) -> Result<String> {
    interrupted_in(NEXT, end, before)
}

fn interrupted_in(
    statement: &'static str,
    end: impl FnOnce(&Node, i32) -> Result<()>,
    before: &str,
) -> Result<String> {
    let (mut node, mut client) = start("hanging")?;
    client.batch_execute(
        "CREATE TABLE received (id bigint PRIMARY KEY);
         CREATE TRIGGER witness BEFORE INSERT ON received
             FOR EACH ROW EXECUTE FUNCTION snowflake_witness()",
    )?;
    client.query_one(NEXT, &[])?;
    // The lease lapses while no ID is asked for.
    let lapsed = "SELECT wall_time > lease_end + interval '1 s' FROM snowflake_status()";
    wait_for("the lease to lapse", DEADLINE, || Ok(client.query_one(lapsed, &[])?.get(0)))?;
    node.faults()?.hang(Call::Fsync);
    client.batch_execute(before)?;
    let pid = client.query_one("SELECT pg_backend_pid()", &[])?.get(0);
    let asking = thread::spawn(move || refusal(client.query(statement, &[])));
    let mut monitor = node.connect("postgres")?;
    let waits = "SELECT count(*) FROM pg_stat_activity
                 WHERE pid = $1 AND wait_event_type = 'Extension'";
    wait_for("the session to wait, or to have waited", DEADLINE, || {
        Ok(asking.is_finished() || monitor.query_one(waits, &[&pid])?.get::<_, i64>(0) > 0)
    })?;
    end(&node, pid)?;
    let refusal = asking.join().expect("the session's thread");
    let says_why =
        "SELECT coalesce(error, '') ~ '^writing the snowflake lease has taken [0-9]+ ms so far$'
                    FROM snowflake_status()";
    wait_for("the status to say why", DEADLINE, || Ok(monitor.query_one(says_why, &[])?.get(0)))?;
    // What hangs is the keeper, which only dies with the server.
    node.kill9_all()?;
    // On a busy machine the client may see that the connection is closed before it has read why.
    let why = format!("FATAL:  {TERMINATED}");
    let is_it = |line: &str| line.contains(&format!("[{pid}]")) && line.ends_with(&why);
    if refusal.is_err() && node.log()?.lines().any(is_it) {
        return Ok("57P01".to_owned());
    }
    Ok(refusal?.code)
}

#[test]
fn a_statement_timeout_ends_the_wait_for_a_disk_that_hangs() -> Result<()> {
    let code = interrupted(|_, _| Ok(()), "SET statement_timeout = '500ms'")?;
    ensure!(code == "57014", "{code}");
    Ok(())
}

#[test]
fn it_ends_that_of_a_witness_and_of_an_id_after_another_too() -> Result<()> {
    let statements = [
        "SELECT snowflake_nextval(after => snowflake_encode(clock_timestamp() + '3 seconds', 0, 2, 0))",
        "INSERT INTO received SELECT snowflake_encode(clock_timestamp() + '3 seconds', 0, 2, 0)",
    ];
    for statement in statements {
        let code = interrupted_in(statement, |_, _| Ok(()), "SET statement_timeout = '500ms'")?;
        ensure!(code == "57014", "{code} of {statement}");
    }
    Ok(())
}

#[test]
fn a_session_that_waits_for_a_disk_that_hangs_can_be_cancelled() -> Result<()> {
    let cancel = |node: &Node, pid: i32| {
        node.connect("postgres")?.execute("SELECT pg_cancel_backend($1)", &[&pid])?;
        Ok(())
    };
    let code = interrupted(cancel, "")?;
    ensure!(code == "57014", "{code}");
    Ok(())
}

#[test]
fn a_session_that_waits_for_a_disk_that_hangs_can_be_terminated() -> Result<()> {
    let terminate = |node: &Node, pid: i32| {
        node.connect("postgres")?.execute("SELECT pg_terminate_backend($1)", &[&pid])?;
        Ok(())
    };
    let code = interrupted(terminate, "")?;
    ensure!(code == "57P01", "{code}");
    Ok(())
}
