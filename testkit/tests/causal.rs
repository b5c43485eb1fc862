//! IDs that are greater than those of other servers, whatever the clocks say, and who can move the ID clock.

use std::time::Instant;

use anyhow::Result;
use nix::errno::Errno;
use postgres::{Client, NoTls};
use snowflake_testkit::{Builder, DEADLINE, Node, PRIMARY_GONE, refusal, shim::Call, wait_for};

const SECOND: i64 = 1_000_000_000;
const MAX_DRIFT: f64 = 5.0;
/// By how much the ID clock is ahead of the wall clock, in seconds.
const DRIFT: &str = "SELECT extract(epoch FROM drift)::float8 FROM snowflake_status()";

fn start(builder: Builder) -> Result<(Node, Client)> {
    let node = builder.start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute("CREATE EXTENSION pg_snowflake")?;
    Ok((node, client))
}

fn drift(client: &mut Client) -> Result<f64> {
    Ok(client.query_one(DRIFT, &[])?.get(0))
}

/// Asks for IDs after ones that are ever further ahead, as the least of roles.
fn attack(node: &Node, seconds: u64) -> Result<()> {
    let mut attacker = node.config("postgres").user("attacker").connect(NoTls)?;
    let ahead = attacker
        .prepare("SELECT snowflake_nextval(after => snowflake_nextval() + ($1::bigint << 22))")?;
    let started = Instant::now();
    for step in [4_999_i64, 1_000, 100, 1].iter().cycle() {
        if started.elapsed().as_secs() >= seconds {
            return Ok(());
        }
        // Too far, or not.
        let _ = attacker.query(&ahead, &[step]);
    }
    Ok(())
}

#[test]
fn no_role_pushes_the_id_clock_beyond_max_drift() -> Result<()> {
    let (node, mut client) = start(Node::builder("attacked").with_clock())?;
    client.batch_execute("CREATE ROLE attacker LOGIN")?;
    attack(&node, 2)?;
    let ahead = drift(&mut client)?;
    assert!((1.0..MAX_DRIFT + 0.1).contains(&ahead), "{ahead} s ahead");
    // With a wall clock that was set back, at the pace of real time.
    node.clock()?.step(-3_600 * SECOND);
    let (before, started) = (drift(&mut client)?, Instant::now());
    attack(&node, 12)?;
    let gained = drift(&mut client)? - before;
    assert!(before > 3_600.0 && gained < 0.1, "{gained} s gained");
    assert!(started.elapsed().as_secs_f64() > 2.0 * MAX_DRIFT);
    let expected = ["ERROR:  snowflake ID is too far ahead of the clock"];
    assert_eq!(node.unexpected_log_lines(&expected)?, [""; 0]);
    Ok(())
}

#[test]
fn a_raise_survives_crashes_and_restarts() -> Result<()> {
    let (mut node, mut client) = start(Node::builder("raised"))?;
    let far = "SELECT snowflake_encode(now() + interval '10 days', 0, 0, 0)";
    let far: i64 = client.query_one(far, &[])?.get(0);
    client.execute("SELECT snowflake_raise($1)", &[&far])?;
    let mut last = far;
    let mut go_on = |node: &Node| -> Result<()> {
        let id: i64 =
            node.connect("postgres")?.query_one("SELECT snowflake_nextval()", &[])?.get(0);
        assert!(id > last, "{id} after {last}");
        last = id;
        Ok(())
    };
    drop(client);
    // Without an ID in between.
    node.kill9_all()?;
    node.start()?;
    go_on(&node)?;
    node.restart()?;
    node.restart()?;
    go_on(&node)?;
    node.crash()?;
    node.start()?;
    go_on(&node)?;
    assert!(node.log()?.contains("LOG:  the snowflake ID clock was raised from "));
    assert_eq!(node.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}

#[test]
fn a_standby_does_not_raise_its_id_clock() -> Result<()> {
    let (primary, _) = start(Node::builder("primary"))?;
    let standby = primary.create_standby("standby")?;
    standby.wait_for_replay_of(&primary)?;
    let refused = refusal(standby.connect("postgres")?.query("SELECT snowflake_raise(1)", &[]))?;
    assert_eq!(refused.code, "25006");
    Ok(())
}

/// What replication between two servers is made of: a message goes one way, its reply the other.
const MESSAGES: &str = "
    CREATE EXTENSION pg_snowflake;
    CREATE TABLE messages (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), reply_to bigint, sender int)";
const WITNESS: &str = "
    CREATE TRIGGER witness BEFORE INSERT OR UPDATE ON messages
        FOR EACH ROW EXECUTE FUNCTION snowflake_witness();
    ALTER TABLE messages ENABLE ALWAYS TRIGGER witness";

fn side(name: &str, machine: &str) -> Builder {
    Node::builder(name)
        .with_clock()
        .set("wal_level", "logical")
        .set("pg_snowflake.machine_id", machine)
}

/// Each side gets the rows that the other one has written.
fn subscribe(node: &Node, sender: i32, other: &Node, others: i32) -> Result<()> {
    other.connect("postgres")?.batch_execute(&format!(
        "CREATE PUBLICATION messages_{others} FOR TABLE messages WHERE (sender = {others})"
    ))?;
    node.connect("postgres")?.batch_execute(&format!(
        "CREATE SUBSCRIPTION from_{others}_to_{sender}
             CONNECTION 'host={} port=5432 user=postgres dbname=postgres'
             PUBLICATION messages_{others} WITH (copy_data = false)",
        other.home().display()
    ))?;
    Ok(())
}

fn write(client: &mut Client, sender: i32, reply_to: Option<i64>) -> Result<i64> {
    let insert = "INSERT INTO messages (reply_to, sender) VALUES ($1, $2) RETURNING id";
    Ok(client.query_one(insert, &[&reply_to, &sender])?.get(0))
}

fn wait_for_row(client: &mut Client, id: i64) -> Result<()> {
    let there = "SELECT EXISTS (SELECT FROM messages WHERE id = $1)";
    wait_for("the row to arrive", DEADLINE, || Ok(client.query_one(there, &[&id])?.get(0)))
}

/// How many of a conversation's replies are below what they answer; the second side's clock is two seconds behind.
fn replies_below_their_message(witness: &str) -> Result<usize> {
    const EXCHANGES: usize = 20;
    let sides = [side("early", "2").start()?, side("late", "1").start()?];
    sides[1].clock()?.step(-2 * SECOND);
    let mut clients = Vec::new();
    for side in &sides {
        let mut client = side.connect("postgres")?;
        client.batch_execute(MESSAGES)?;
        client.batch_execute(witness)?;
        clients.push(client);
    }
    subscribe(&sides[0], 0, &sides[1], 1)?;
    subscribe(&sides[1], 1, &sides[0], 0)?;
    let mut below = 0;
    let mut last = write(&mut clients[0], 0, None)?;
    for turn in (0..2).rev().cycle().take(2 * EXCHANGES) {
        wait_for_row(&mut clients[turn], last)?;
        let reply = write(&mut clients[turn], i32::try_from(turn)?, Some(last))?;
        below += usize::from(reply < last);
        last = reply;
    }
    for (side, client) in sides.iter().zip(&mut clients) {
        client.batch_execute(
            "DO 'DECLARE name text; BEGIN FOR name IN SELECT subname FROM pg_subscription
                 LOOP EXECUTE format(''ALTER SUBSCRIPTION %I DISABLE'', name); END LOOP; END'",
        )?;
        assert_eq!(side.unexpected_log_lines(&PRIMARY_GONE)?, [""; 0]);
    }
    Ok(below)
}

#[test]
fn with_witnesses_every_reply_is_greater_than_its_message() -> Result<()> {
    assert_eq!(replies_below_their_message(WITNESS)?, 0);
    Ok(())
}

/// The control.
#[test]
fn without_witnesses_replies_of_the_later_clock_are_not() -> Result<()> {
    assert!(replies_below_their_message("")? > 10);
    Ok(())
}

/// Each side's lease waits until the other side has it, which is busy with a row whose witness needs a lease, too.
#[test]
fn each_other_s_synchronous_subscribers_take_rows_after_a_restart_of_both() -> Result<()> {
    const ROWS: i32 = 1_000;
    let mut sides = [side("one", "1").start()?, side("other", "2").start()?];
    for side in &sides {
        let mut client = side.connect("postgres")?;
        client.batch_execute(MESSAGES)?;
        client.batch_execute(WITNESS)?;
    }
    subscribe(&sides[0], 0, &sides[1], 1)?;
    subscribe(&sides[1], 1, &sides[0], 0)?;
    let subscriptions = ["from_1_to_0", "from_0_to_1"];
    for (side, subscription) in sides.iter_mut().zip(subscriptions) {
        let mut client = side.connect("postgres")?;
        client.batch_execute(&format!("ALTER SUBSCRIPTION {subscription} DISABLE"))?;
    }
    for (sender, side) in (0..).zip(&mut sides) {
        let many = "INSERT INTO messages (sender) SELECT $1 FROM generate_series(1, $2)";
        side.connect("postgres")?.execute(many, &[&sender, &ROWS])?;
        side.restart()?;
    }
    sides[0].set("synchronous_standby_names", subscriptions[1]).reload()?;
    sides[1].set("synchronous_standby_names", subscriptions[0]).reload()?;
    for (side, subscription) in sides.iter().zip(subscriptions) {
        let mut client = side.connect("postgres")?;
        client.batch_execute(&format!(
            "SET synchronous_commit = local; ALTER SUBSCRIPTION {subscription} ENABLE"
        ))?;
    }
    for side in &sides {
        let mut client = side.connect("postgres")?;
        wait_for("the rows to arrive", DEADLINE, || {
            let rows: i64 = client.query_one("SELECT count(*) FROM messages", &[])?.get(0);
            Ok(rows == i64::from(2 * ROWS))
        })?;
    }
    let mut clients = [sides[0].connect("postgres")?, sides[1].connect("postgres")?];
    let message = write(&mut clients[0], 0, None)?;
    wait_for_row(&mut clients[1], message)?;
    assert!(write(&mut clients[1], 1, Some(message))? > message);
    Ok(())
}

#[test]
fn a_witness_that_cannot_issue_lets_all_rows_pass() -> Result<()> {
    const ROWS: i64 = 10_000;
    const NOT_WITNESSED: &str =
        "of relation \"messages\" was not witnessed: \"pg_snowflake.machine_id\" is not set";
    let sender = side("sender", "1").start()?;
    let receiver = Node::builder("receiver").unset("pg_snowflake.machine_id").start()?;
    let mut on_receiver = receiver.connect("postgres")?;
    let mut on_sender = sender.connect("postgres")?;
    on_sender.batch_execute(MESSAGES)?;
    on_receiver.batch_execute(MESSAGES)?;
    on_receiver.batch_execute(WITNESS)?;
    subscribe(&receiver, 0, &sender, 1)?;
    let many = "INSERT INTO messages (sender) SELECT 1 FROM generate_series(1, $1)";
    on_sender.execute(many, &[&i32::try_from(ROWS)?])?;
    wait_for("the rows to arrive", DEADLINE, || {
        Ok(on_receiver.query_one("SELECT count(*) FROM messages", &[])?.get::<_, i64>(0) == ROWS)
    })?;
    on_receiver.batch_execute("ALTER SUBSCRIPTION from_1_to_0 DISABLE")?;
    let log = receiver.log()?;
    let lines = log.matches(NOT_WITNESSED).count();
    assert!((5..=10).contains(&lines), "{lines} lines");
    assert_eq!(
        receiver
            .unexpected_log_lines(&[NOT_WITNESSED, "\"pg_snowflake.machine_id\" is not set"])?,
        [""; 0]
    );
    Ok(())
}

#[test]
fn a_witness_that_cannot_extend_its_lease_lets_rows_pass_until_the_disk_is_back() -> Result<()> {
    const NOT_WITNESSED: &str = "of relation \"messages\" was not witnessed: could not fsync file";
    let node = side("no space", "1").with_faults().start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute(MESSAGES)?;
    client.batch_execute(WITNESS)?;
    let mut arrive = |rows: i32| {
        let ahead =
            "INSERT INTO messages SELECT snowflake_encode(clock_timestamp() + '3 seconds', 0, 2, n)
                     FROM generate_series(1, $1) AS n";
        client.execute(ahead, &[&rows])
    };
    node.faults()?.fail_always(Call::Fsync, Errno::ENOSPC);
    assert_eq!(arrive(100)?, 100);
    node.faults()?.heal();
    assert_eq!(arrive(1)?, 1);
    let greater = "SELECT snowflake_nextval() > max(id) FROM messages";
    assert!(client.query_one(greater, &[])?.get::<_, bool>(0));
    assert!(node.log()?.contains(NOT_WITNESSED));
    assert_eq!(node.unexpected_log_lines(&["could not fsync file"])?, [""; 0]);
    Ok(())
}
