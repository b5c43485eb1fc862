//! Two servers with one identity: the usual mistake, and how it is found out.

use anyhow::Result;
use postgres::Client;
use snowflake_testkit::{
    DEADLINE, Node,
    guard::{NOTICED, Noticed},
    refusal, wait_for,
};

/// A publisher of `orders`, and a subscriber of the same machine id or another, whose table is guarded.
fn publisher_and_subscriber(machine: &str, argument: &str) -> Result<(Node, Node)> {
    let publisher = node("publisher", "1")?;
    let mut on_publisher = publisher.connect("postgres")?;
    on_publisher.batch_execute("CREATE PUBLICATION everything FOR TABLE orders")?;
    let subscriber = node("subscriber", machine)?;
    let environment = publisher.client_environment();
    let of = |name| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
    let (host, port) = (of("PGHOST"), of("PGPORT"));
    let user = of("PGUSER");
    let text = |value: Option<&std::path::PathBuf>| {
        value.map(|v| v.display().to_string()).unwrap_or_default()
    };
    subscriber.connect("postgres")?.batch_execute(&format!(
        "CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON orders
             FOR EACH ROW EXECUTE FUNCTION snowflake_guard({argument});
         ALTER TABLE orders ENABLE ALWAYS TRIGGER guard"
    ))?;
    subscriber.connect("postgres")?.batch_execute(&format!(
        "CREATE SUBSCRIPTION everything CONNECTION 'host={} port={} user={} dbname=postgres'
             PUBLICATION everything",
        text(host),
        text(port),
        text(user)
    ))?;
    Ok((publisher, subscriber))
}

fn node(name: &str, machine: &str) -> Result<Node> {
    let node = Node::builder(name)
        .set("wal_level", "logical")
        .set("pg_snowflake.machine_id", machine)
        .start()?;
    node.connect("postgres")?.batch_execute(
        "CREATE EXTENSION pg_snowflake;
         CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), note text)",
    )?;
    Ok(node)
}

fn insert(node: &Node, rows: i32) -> Result<()> {
    let insert = "INSERT INTO orders (note) SELECT 'hi' FROM generate_series(1, $1)";
    node.connect("postgres")?.execute(insert, &[&rows])?;
    Ok(())
}

fn wait_for_rows(client: &mut Client, rows: i64) -> Result<()> {
    wait_for("the rows to arrive", DEADLINE, || {
        Ok(client.query_one("SELECT count(*) FROM orders", &[])?.get::<_, i64>(0) == rows)
    })
}

/// What the audit says of the rows with this server's identity: how many, and how many that it has not issued.
fn own(client: &mut Client) -> Result<(i64, i64)> {
    let own = "SELECT coalesce(sum(ids), 0)::bigint, coalesce(sum(not_issued), 0)::bigint
               FROM snowflake_audit('orders', 'id') WHERE this_node";
    let row = client.query_one(own, &[])?;
    Ok((row.get(0), row.get(1)))
}

#[test]
fn rows_of_a_twin_are_noticed_as_they_arrive_and_by_the_audit() -> Result<()> {
    let (publisher, subscriber) = publisher_and_subscriber("1", "")?;
    insert(&publisher, 3)?;
    let mut on_subscriber = subscriber.connect("postgres")?;
    wait_for_rows(&mut on_subscriber, 3)?;
    assert_eq!(own(&mut on_subscriber)?, (3, 3));
    assert_eq!(own(&mut publisher.connect("postgres")?)?, (3, 0));
    assert_eq!(Noticed::in_log(&subscriber.log()?), Noticed { lines: 3, rows: 3 });
    assert_eq!(subscriber.unexpected_log_lines(&[NOTICED])?, [""; 0]);
    assert_eq!(publisher.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}

#[test]
fn a_guard_with_argument_error_keeps_rows_of_a_twin_out() -> Result<()> {
    let (publisher, subscriber) = publisher_and_subscriber("1", "'error'")?;
    insert(&publisher, 1)?;
    wait_for("the subscriber to refuse", DEADLINE, || Ok(subscriber.log()?.contains(NOTICED)))?;
    let mut on_subscriber = subscriber.connect("postgres")?;
    wait_for_rows(&mut on_subscriber, 0)?;
    insert(&subscriber, 5)?;
    assert_eq!(own(&mut on_subscriber)?, (5, 0));
    Ok(())
}

#[test]
fn rows_of_another_server_pass_without_a_word() -> Result<()> {
    let (publisher, subscriber) = publisher_and_subscriber("2", "'error'")?;
    insert(&publisher, 1_000)?;
    insert(&subscriber, 1_000)?;
    let mut on_subscriber = subscriber.connect("postgres")?;
    wait_for_rows(&mut on_subscriber, 2_000)?;
    assert_eq!(own(&mut on_subscriber)?, (1_000, 0));
    assert_eq!(subscriber.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}

#[test]
fn a_restart_or_a_crash_makes_no_row_of_ones_own_suspicious() -> Result<()> {
    let mut node = node("restarted", "1")?;
    let stops: [fn(&mut Node) -> Result<()>; 3] = [Node::stop, Node::crash, Node::kill9_all];
    for stop in stops {
        insert(&node, 1_000)?;
        stop(&mut node)?;
        node.start()?;
        let mut client = node.connect_when_ready("postgres")?;
        let (ids, not_issued) = own(&mut client)?;
        assert!(ids > 0 && not_issued == 0, "{not_issued} of {ids}");
    }
    Ok(())
}

#[test]
fn audits_beside_inserting_sessions_raise_no_false_alarm() -> Result<()> {
    let node = node("busy", "1")?;
    let load = snowflake_testkit::orders::insert(&node, 3);
    let mut client = node.connect("postgres")?;
    for _ in 0..50 {
        load.wait_for_new_ids()?;
        assert_eq!(own(&mut client)?.1, 0);
    }
    load.stop()?;
    Ok(())
}

#[test]
fn a_guard_that_cannot_see_says_so() -> Result<()> {
    let mut node = node("other layout", "1")?;
    insert(&node, 1)?;
    node.set("pg_snowflake.sequence_bits", "10").restart()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute(
        "CREATE TRIGGER guard BEFORE INSERT ON orders
             FOR EACH ROW EXECUTE FUNCTION snowflake_guard('error')",
    )?;
    let of_a_twin =
        "INSERT INTO orders VALUES (snowflake_encode(now() + interval '1 hour', 1, 1, 0))";
    let refusal = refusal(client.execute(of_a_twin, &[]))?;
    assert_eq!(refusal.code, "55000");
    assert!(refusal.message.contains("configured layout or epoch differs"), "{}", refusal.message);
    // The audit decodes as ever, and does not know what was issued.
    let known = "SELECT this_node, not_issued FROM snowflake_audit('orders', 'id')";
    let row = client.query_one(known, &[])?;
    assert_eq!((row.get(0), row.get(1)), (Some(true), None::<i64>));
    Ok(())
}
