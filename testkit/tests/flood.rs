//! A twin's rows by the thousand: the guard writes a handful of warnings, and their counts add up.

use std::time::Instant;

use anyhow::Result;
use postgres::Client;
use snowflake_testkit::{
    DEADLINE, Node,
    guard::{NOTICED, Noticed},
    refusal, wait_for,
};

const ROWS: usize = 10_000;
/// IDs of this server's identity, later than any that it issues.
const OF_A_TWIN: &str = "
    INSERT INTO orders
    SELECT snowflake_encode('2090-01-01 00:00:00+00'::timestamptz + make_interval(days => $1, secs => n / 1000.0), 1, 1, 0)
    FROM generate_series(1, $2) AS n";

/// A server with a guarded table.
struct Guarded {
    node: Node,
    started: Instant,
}

impl Guarded {
    fn start(name: &str, argument: &str) -> Result<Self> {
        let node = Node::builder(name).set("wal_level", "logical").start()?;
        node.connect("postgres")?.batch_execute(&format!(
            "CREATE EXTENSION pg_snowflake;
             CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), note text);
             CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON orders
                 FOR EACH ROW EXECUTE FUNCTION snowflake_guard({argument});
             ALTER TABLE orders ENABLE ALWAYS TRIGGER guard;
             INSERT INTO orders (note) VALUES ('own')"
        ))?;
        Ok(Self { node, started: Instant::now() })
    }

    /// Fails unless warnings that few were written and stand for all `rows`.
    fn check(&self, rows: usize, sessions: usize) -> Result<()> {
        let noticed = Noticed::in_log(&self.node.log()?);
        assert_eq!(noticed.rows, rows);
        // In a session the first five and one at the end, and two a minute.
        let minutes = usize::try_from(self.started.elapsed().as_secs() / 60)?;
        let limit = sessions * (5 + 1 + 1 + 2 * minutes);
        assert!(noticed.lines <= limit, "{} lines", noticed.lines);
        assert_eq!(self.node.unexpected_log_lines(&[NOTICED])?, [""; 0]);
        Ok(())
    }

    fn wait_for_rows_of_the_log(&self, rows: usize) -> Result<()> {
        wait_for("the warnings to add up", DEADLINE, || {
            Ok(Noticed::in_log(&self.node.log()?).rows >= rows)
        })
    }
}

fn insert(client: &mut Client, day: i32, rows: usize) -> Result<()> {
    client.execute(OF_A_TWIN, &[&day, &i32::try_from(rows)?])?;
    Ok(())
}

#[test]
fn a_statement_of_many_rows_writes_a_few_warnings_before_it_ends() -> Result<()> {
    let server = Guarded::start("one statement", "")?;
    let mut client = server.node.connect("postgres")?;
    insert(&mut client, 0, ROWS)?;
    // The session goes on.
    server.check(ROWS, 1)?;
    // An UPDATE of them all says nothing.
    client.batch_execute("UPDATE orders SET note = 'seen'")?;
    server.check(ROWS, 1)
}

#[test]
fn many_small_transactions_write_the_rest_when_the_session_ends() -> Result<()> {
    let server = Guarded::start("many statements", "")?;
    let mut client = server.node.connect("postgres")?;
    let statements = 500;
    for n in 0..statements {
        insert(&mut client, n, 1)?;
    }
    drop(client);
    let rows = usize::try_from(statements)?;
    server.wait_for_rows_of_the_log(rows)?;
    server.check(rows, 1)
}

#[test]
fn what_is_rolled_back_is_counted_too() -> Result<()> {
    let server = Guarded::start("rolled back", "")?;
    let mut client = server.node.connect("postgres")?;
    let mut transaction = client.transaction()?;
    transaction.execute(OF_A_TWIN, &[&0, &i32::try_from(ROWS)?])?;
    transaction.rollback()?;
    server.check(ROWS, 1)?;
    // An end by force is an end.
    let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[])?.get(0);
    client.batch_execute("BEGIN")?;
    insert(&mut client, 0, ROWS)?;
    let terminate = "SELECT pg_terminate_backend($1, $2)";
    let millis = i64::try_from(DEADLINE.as_millis())?;
    let mut other = server.node.connect("postgres")?;
    let ended: bool = other.query_one(terminate, &[&pid, &millis])?.get(0);
    assert!(ended);
    server.check(2 * ROWS, 1)
}

#[test]
fn an_apply_worker_counts_through_many_transactions() -> Result<()> {
    let publisher = Node::builder("twin").set("wal_level", "logical").start()?;
    let mut on_publisher = publisher.connect("postgres")?;
    on_publisher.batch_execute(
        "CREATE EXTENSION pg_snowflake;
         CREATE TABLE orders (id bigint PRIMARY KEY, note text);
         CREATE PUBLICATION everything FOR TABLE orders",
    )?;
    let server = Guarded::start("subscriber", "")?;
    let mut client = server.node.connect("postgres")?;
    client.batch_execute(&format!(
        "CREATE SUBSCRIPTION everything CONNECTION 'host={} port=5432 user=postgres dbname=postgres'
             PUBLICATION everything WITH (copy_data = false)",
        publisher.home().display()
    ))?;
    insert(&mut on_publisher, 0, ROWS)?;
    for n in 1..=100 {
        insert(&mut on_publisher, n, 10)?;
    }
    let rows = ROWS + 1_000;
    wait_for("the rows to arrive", DEADLINE, || {
        let all = client.query_one("SELECT count(*) FROM orders WHERE note IS NULL", &[])?;
        Ok(all.get::<_, i64>(0) == i64::try_from(rows)?)
    })?;
    // The worker ends with its subscription.
    client.batch_execute("ALTER SUBSCRIPTION everything DISABLE")?;
    server.wait_for_rows_of_the_log(rows)?;
    server.check(rows, 1)
}

#[test]
fn a_guard_with_argument_error_refuses_each_statement() -> Result<()> {
    let server = Guarded::start("refusing", "'error'")?;
    let mut client = server.node.connect("postgres")?;
    for n in 0..20 {
        let refusal = refusal(client.execute(OF_A_TWIN, &[&n, &1]))?;
        assert_eq!(refusal.code, "23000");
    }
    assert_eq!(Noticed::in_log(&server.node.log()?), Noticed { lines: 20, rows: 20 });
    Ok(())
}

#[test]
fn restored_rows_are_told_from_a_twins() -> Result<()> {
    let dumped = Guarded::start("dumped", "'error'")?;
    dumped.node.connect("postgres")?.batch_execute(
        "INSERT INTO orders (note) SELECT 'restored' FROM generate_series(1, 100)",
    )?;
    let restored = Node::builder("restored").start()?;
    let folder = snowflake_testkit::private_directory()?;
    let dump = folder.path().join("dump");
    run_program(dumped.node.client_program("pg_dump").arg("-Fc").arg("-f").arg(&dump))?;
    let restore = |node: &Node, how: &[&str]| {
        run_program(
            node.client_program("pg_restore").args(["-e", "-d", "postgres"]).args(how).arg(&dump),
        )
    };
    // Triggers come last; then rows that were restored can be updated.
    restore(&restored, &[])?;
    let mut client = restored.connect("postgres")?;
    assert_eq!(client.execute("UPDATE orders SET note = 'updated'", &[])?, 101);
    // Where they come first, the error says what may be the case, and its hint helps.
    client.batch_execute("TRUNCATE orders")?;
    assert!(restore(&restored, &["--data-only"]).is_err());
    let hint = refusal(
        client.execute(&format!("INSERT INTO orders VALUES ({})", first_id(&dumped)?), &[]),
    )?;
    assert!(hint.detail.contains("has not issued an ID yet"), "{}", hint.detail);
    assert!(hint.hint.contains("SELECT snowflake_nextval() once"), "{}", hint.hint);
    client.execute("SELECT snowflake_nextval()", &[])?;
    restore(&restored, &["--data-only"])?;
    let rows: i64 = client.query_one("SELECT count(*) FROM orders", &[])?.get(0);
    assert_eq!(rows, 101);
    Ok(())
}

fn first_id(server: &Guarded) -> Result<i64> {
    Ok(server.node.connect("postgres")?.query_one("SELECT min(id) FROM orders", &[])?.get(0))
}

fn run_program(command: &mut std::process::Command) -> Result<()> {
    snowflake_testkit::run(command).map(drop)
}

/// What is written where a transaction ends goes to the log alone: a name that cannot be sent in the client's
/// encoding would end the transaction.
#[test]
fn a_name_that_the_client_cannot_read_fails_no_commit() -> Result<()> {
    let server = Guarded::start("encoding", "")?;
    server.node.connect("postgres")?.batch_execute(
        "CREATE TABLE \"表\" (LIKE orders INCLUDING ALL);
         CREATE TRIGGER guard BEFORE INSERT ON \"表\" FOR EACH ROW EXECUTE FUNCTION snowflake_guard();
         CREATE VIEW seen AS SELECT count(*) FROM \"表\"",
    )?;
    let of_a_twin = |table: &str, minute: u32, rows: u32| {
        format!(
            "INSERT INTO {table} SELECT snowflake_encode('2090-01-01 00:{minute}:00+00'::timestamptz \
             + make_interval(secs => n), 1, 1, 0) FROM generate_series(1, {rows}) AS n"
        )
    };
    let statements = [
        of_a_twin("orders", 10, 5),
        format!("PREPARE more AS {}", of_a_twin("\"表\"", 20, 7)),
        "SET client_encoding = 'LATIN1'".to_owned(),
        "EXECUTE more".to_owned(),
        "SELECT * FROM seen".to_owned(),
    ];
    let mut arguments = vec!["-qAt", "-v", "ON_ERROR_STOP=1"];
    arguments.extend(statements.iter().flat_map(|statement| ["-c", statement.as_str()]));
    let output = server.node.psql(&arguments).output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(printed.trim(), "7");
    server.wait_for_rows_of_the_log(12)?;
    server.check(12, 1)
}
