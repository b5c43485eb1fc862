//! Partitions are created beside sessions that read and write, for tables of other roles, by two jobs at a
//! time, and through the nights on which clocks are set.

use std::{
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
use postgres::Client;
use snowflake_testkit::{DEADLINE, Node, refusal, wait_for};

const HOUR: i64 = 3_600 * 1_000_000_000;
/// In days since 1970. The ID clock does not go back to before now, whenever that is.
const YEAR_2060: u64 = 32_872;
const TABLE: &str = "
    CREATE TABLE logs (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), note text)
        PARTITION BY RANGE (id)";
const CREATE: &str =
    "SELECT name::text FROM snowflake_create_partitions('logs', '1 month', 2) AS name";
const WAITING: &str = "
    SELECT relation::regclass::text || ' ' || mode FROM pg_locks WHERE NOT granted";

fn start(name: &str) -> Result<(Node, Client)> {
    let node = Node::builder(name).start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute("CREATE EXTENSION pg_snowflake")?;
    client.batch_execute(TABLE)?;
    Ok((node, client))
}

/// Where something has to wait, the test fails instead of hanging.
fn impatient(node: &Node) -> Result<Client> {
    let mut client = node.connect("postgres")?;
    client.batch_execute(&format!("SET lock_timeout = '{}s'", DEADLINE.as_secs()))?;
    Ok(client)
}

fn texts(client: &mut Client, query: &str) -> Result<Vec<String>> {
    Ok(client.query(query, &[])?.iter().map(|row| row.get(0)).collect())
}

#[test]
fn creating_partitions_neither_waits_for_readers_and_writers_nor_makes_them_wait() -> Result<()> {
    let (node, mut client) = start("beside")?;
    texts(&mut client, CREATE)?;
    let (mut reader, mut writer) = (impatient(&node)?, impatient(&node)?);
    reader.batch_execute("BEGIN; SELECT count(*) FROM logs")?;
    writer.batch_execute("BEGIN; INSERT INTO logs (note) VALUES ('before')")?;
    let mut job = impatient(&node)?;
    job.batch_execute("BEGIN")?;
    let one = "SELECT snowflake_create_partition('logs', '2090-01-01+00', '2090-02-01+00')::text";
    assert_eq!(texts(&mut job, one)?, ["logs_p20900101"]);
    let more = "SELECT name::text FROM snowflake_create_partitions('logs', '1 month', 4) AS name";
    assert_eq!(texts(&mut job, more)?.len(), 2);
    // The job's transaction is open still.
    reader.batch_execute("SELECT count(*) FROM logs")?;
    writer.batch_execute("INSERT INTO logs (note) VALUES ('meanwhile')")?;
    let mut late = impatient(&node)?;
    late.batch_execute(
        "BEGIN; SELECT count(*) FROM logs; INSERT INTO logs (note) VALUES ('late');
         UPDATE logs SET note = 'later' WHERE note = 'late'; COMMIT",
    )?;
    assert_eq!(texts(&mut client, WAITING)?, [""; 0]);
    for mut open in [job, writer, reader] {
        open.batch_execute("COMMIT")?;
    }
    let counts = "SELECT (SELECT count(*) FROM logs), count(*) FROM pg_inherits WHERE inhparent = 'logs'::regclass";
    let row = client.query_one(counts, &[])?;
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (3, 6));
    assert_eq!(node.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}

#[test]
fn the_second_of_two_jobs_waits_and_finds_nothing_to_do() -> Result<()> {
    let (node, mut first) = start("jobs")?;
    first.batch_execute("BEGIN")?;
    assert_eq!(texts(&mut first, CREATE)?.len(), 3);
    let second = waiting(&node)?;
    impatient(&node)?.batch_execute("SELECT count(*) FROM logs")?;
    first.batch_execute("COMMIT")?;
    assert_eq!(second.join().expect("no panic")?, [""; 0]);
    assert_eq!(node.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}

#[test]
fn the_second_of_two_jobs_does_it_all_if_the_first_gives_up() -> Result<()> {
    let (node, mut first) = start("given_up")?;
    first.batch_execute("BEGIN")?;
    assert_eq!(texts(&mut first, CREATE)?.len(), 3);
    let second = waiting(&node)?;
    first.batch_execute("ROLLBACK")?;
    assert_eq!(second.join().expect("no panic")?.len(), 3);
    assert_eq!(node.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}

#[test]
fn a_job_that_waits_for_a_name_makes_no_session_wait() -> Result<()> {
    let (node, mut taker) = start("name")?;
    taker.batch_execute("CREATE TABLE rest PARTITION OF logs DEFAULT")?;
    let last =
        "SELECT to_char(now() AT TIME ZONE 'UTC' + interval '2 months', '\"logs_p\"YYYYMM\"01\"')";
    let last = texts(&mut taker, last)?.concat();
    taker.batch_execute(&format!("BEGIN; CREATE TYPE {last} AS ENUM ()"))?;
    let (mut job, mut observer) = (impatient(&node)?, node.connect("postgres")?);
    let job = thread::spawn(move || texts(&mut job, CREATE));
    wait_for("the job to wait", DEADLINE, || {
        Ok(texts(&mut observer, "SELECT locktype FROM pg_locks WHERE NOT granted")?
            == ["transactionid"])
    })?;
    impatient(&node)?.batch_execute(
        "SELECT count(*) FROM logs; BEGIN; INSERT INTO logs DEFAULT VALUES; ROLLBACK",
    )?;
    taker.batch_execute("ROLLBACK")?;
    assert_eq!(job.join().expect("no panic")?.len(), 3);
    assert_eq!(node.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}

#[test]
fn a_job_that_is_cancelled_leaves_nothing() -> Result<()> {
    let (node, mut first) = start("cancelled")?;
    first.batch_execute("BEGIN; LOCK logs IN SHARE UPDATE EXCLUSIVE MODE")?;
    let second = waiting(&node)?;
    let cancel = "SELECT pg_cancel_backend(pid) FROM pg_locks WHERE NOT granted";
    ensure!(first.query_one(cancel, &[])?.get::<_, bool>(0));
    assert!(second.join().expect("no panic").is_err());
    first.batch_execute("COMMIT")?;
    assert_eq!(texts(&mut first, CREATE)?.len(), 3);
    assert_eq!(node.unexpected_log_lines(&["canceling statement due to user request"])?, [""; 0]);
    Ok(())
}

/// Another session that creates partitions, and has come so far that it waits for a lock.
fn waiting(node: &Node) -> Result<thread::JoinHandle<Result<Vec<String>>>> {
    let mut client = impatient(node)?;
    let mut observer = node.connect("postgres")?;
    let session = thread::spawn(move || texts(&mut client, CREATE));
    wait_for("the second session to wait", DEADLINE, || {
        Ok(texts(&mut observer, WAITING)? == ["logs ShareUpdateExclusiveLock"])
    })?;
    Ok(session)
}

/// A role whose code notes as whom it runs, wherever a table can have code, and that leaves a search_path.
const HOSTILE: &str = "
    CREATE ROLE app;
    GRANT CREATE ON SCHEMA public TO app;
    CREATE TABLE public.seen (who name, what text);
    GRANT INSERT ON public.seen TO PUBLIC;
    SET ROLE app;
    CREATE FUNCTION public.note(what text) RETURNS int LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM set_config('search_path', 'evil', false);
        INSERT INTO public.seen VALUES (current_user, what);
        RETURN 1;
    END $$;
    -- What is immutable does not write, but may call what does.
    CREATE FUNCTION public.f(what text) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
    BEGIN RETURN public.note(what); END $$;
    CREATE FUNCTION public.g(what text, id bigint) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
    BEGIN RETURN public.note(what); END $$;
    CREATE DOMAIN public.key AS bigint CHECK (public.g('domain', VALUE) = 1);
    CREATE TABLE public.hostile (
        id public.key PRIMARY KEY DEFAULT public.f('default'),
        made int GENERATED ALWAYS AS (public.f('generated')) STORED,
        CONSTRAINT one CHECK (public.f('check') = 1),
        CONSTRAINT two CHECK (public.g('check', id) = 1)
    ) PARTITION BY RANGE (id);
    CREATE INDEX ON public.hostile (public.f('index'));
    CREATE INDEX ON public.hostile (public.g('index', id));
    CREATE INDEX ON public.hostile (made) WHERE public.f('predicate') = 1;
    ALTER TABLE public.hostile ENABLE ROW LEVEL SECURITY;
    ALTER TABLE public.hostile REPLICA IDENTITY USING INDEX hostile_pkey;
    RESET ROLE;
    RESET search_path;
    TRUNCATE public.seen;";
/// The same with a default partition, and rows in both.
const HOSTILE_ROWS: &str = "
    SET ROLE app;
    CREATE TABLE public.hostile_rest PARTITION OF public.hostile DEFAULT;
    INSERT INTO public.hostile (id) SELECT public.snowflake_from_timestamp(time)
    FROM (VALUES (timestamptz '2089-01-10+00'), ('2087-01-01+00')) AS it (time);
    RESET ROLE;
    RESET search_path";

#[test]
fn a_superuser_runs_nothing_of_the_owner_of_a_table() -> Result<()> {
    let (node, mut client) = start("superuser")?;
    client.batch_execute(HOSTILE)?;
    let mut as_superuser = |statement: &str| -> Result<()> {
        client.batch_execute(statement)?;
        let path = texts(&mut client, "SHOW search_path")?;
        assert_eq!(path, ["\"$user\", public"], "after {statement}");
        let others = "SELECT DISTINCT what FROM seen WHERE who <> 'app'";
        assert_eq!(texts(&mut client, others)?, [""; 0], "after {statement}");
        Ok(())
    };
    as_superuser("SELECT snowflake_create_partition('hostile', '2089-01-01+00', '2089-02-01+00')")?;
    as_superuser("SELECT count(*) FROM snowflake_create_partitions('hostile', '1 month', 1)")?;
    as_superuser(HOSTILE_ROWS)?;
    as_superuser("SELECT snowflake_create_partition('hostile', '2088-01-01+00', '2088-02-01+00')")?;
    as_superuser("ANALYZE hostile")?;
    let code = texts(&mut client, "SELECT DISTINCT what FROM seen ORDER BY what")?;
    // Attaching has evaluated what is constant, as the owner.
    ensure!(code.iter().any(|what| what == "check"), "only {code:?} has run");
    let partitions = "
        SELECT format('%s %s %s %s', relowner::regrole, relrowsecurity, relreplident,
            (SELECT count(*) FROM pg_index WHERE indrelid = c.oid AND indisreplident))
        FROM pg_class AS c WHERE relispartition AND relkind = 'r' AND relname <> 'hostile_rest'";
    assert_eq!(texts(&mut client, partitions)?, ["app t i 1"; 4]);
    client.batch_execute("SET ROLE app; ALTER TABLE hostile ADD note text; DROP TABLE hostile")?;
    assert_eq!(node.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}

#[test]
fn who_may_not_create_a_partition_does_not_lock_the_table_either() -> Result<()> {
    let (node, mut client) = start("no_right")?;
    client.batch_execute("CREATE ROLE somebody")?;
    let oid: u32 = client.query_one("SELECT 'logs'::regclass::oid", &[])?.get(0);
    client.batch_execute("BEGIN; LOCK logs IN ACCESS EXCLUSIVE MODE")?;
    let mut other = impatient(&node)?;
    other.batch_execute("SET ROLE somebody")?;
    let call = format!("SELECT count(*) FROM snowflake_create_partitions({oid}, '1 month', 1)");
    let refused = refusal(other.query(&call, &[]))?;
    assert_eq!((&*refused.code, &*refused.message), ("42501", "must be owner of table logs"));
    Ok(())
}

/// A server whose clock begins on a day of 2060, at midnight.
fn at(name: &str, day: u64) -> Result<(Node, Client)> {
    let mut node = Node::builder(name).with_clock().make()?;
    let start = Duration::from_secs((YEAR_2060 + day) * 86_400);
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    node.clock()?.set(i64::try_from(start.as_nanos())? - i64::try_from(now.as_nanos())?);
    node.start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute("CREATE EXTENSION pg_snowflake")?;
    client.batch_execute(TABLE)?;
    Ok((node, client))
}

/// The partitions of `logs`: name, length in hours, whether the next one begins where it ends.
fn partitions(client: &mut Client) -> Result<Vec<(String, i32, bool)>> {
    let query = "
        SELECT name, extract(epoch FROM snowflake_timestamp(b[2]::bigint) - snowflake_timestamp(b[1]::bigint))::int / 3600,
            lead(b[1], 1, b[2]) OVER (ORDER BY b[1]::bigint) = b[2]
        FROM (SELECT c.relname::text AS name,
                regexp_match(pg_get_expr(relpartbound, oid), '([0-9]+).*?([0-9]+)') AS b
            FROM pg_class AS c JOIN pg_inherits ON inhrelid = oid WHERE inhparent = 'logs'::regclass) AS it
        ORDER BY b[1]::bigint";
    let rows = client.query(query, &[])?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect())
}

#[test]
fn hours_go_on_through_the_night_on_which_clocks_are_set_back() -> Result<()> {
    let (node, mut client) = at("night", 303)?;
    let create =
        "SELECT count(*) FROM snowflake_create_partitions('logs', '1 hour', 2, 'Europe/Berlin')";
    // From 2 o'clock on the 30th in Berlin to 4 o'clock on the 31st.
    assert_eq!(client.query_one(create, &[])?.get::<_, i64>(0), 3);
    for hour in 1..=26 {
        node.clock()?.step(HOUR);
        let created: i64 = client.query_one(create, &[])?.get(0);
        ensure!(created == 1, "{created} partitions in hour {hour}");
        client.batch_execute("INSERT INTO logs (note) VALUES ('now')")?;
    }
    let found = partitions(&mut client)?;
    assert_eq!(found.len(), 29);
    assert!(found.iter().all(|(_, hours, is_followed)| *hours == 1 && *is_followed), "{found:?}");
    let night: Vec<_> =
        found.iter().map(|(name, ..)| &**name).filter(|name| name.contains("20601031")).collect();
    let expected = [
        "logs_p20601031",
        "logs_p20601031_010000",
        "logs_p20601031_020000_cest",
        "logs_p20601031_020000",
        "logs_p20601031_030000",
        "logs_p20601031_040000",
        "logs_p20601031_050000",
    ];
    assert_eq!(night, expected);
    Ok(())
}

#[test]
fn a_job_that_runs_every_month_keeps_up_for_a_year() -> Result<()> {
    let (node, mut client) = at("year", 0)?;
    let create = "SELECT count(*) FROM snowflake_create_partitions('logs', '1 month', 2)";
    assert_eq!(client.query_one(create, &[])?.get::<_, i64>(0), 3);
    for days in [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        node.clock()?.step(days * 24 * HOUR);
        assert_eq!(client.query_one(create, &[])?.get::<_, i64>(0), 1);
        assert_eq!(client.query_one(create, &[])?.get::<_, i64>(0), 0);
        client.batch_execute("INSERT INTO logs (note) VALUES ('now')")?;
    }
    // Once it had not run for half a year.
    node.clock()?.step((31 + 28 + 31 + 30 + 31 + 30) * 24 * HOUR);
    assert_eq!(client.query_one(create, &[])?.get::<_, i64>(0), 6);
    let found = partitions(&mut client)?;
    assert_eq!(found.len(), 21);
    assert!(found.iter().all(|(.., is_followed)| *is_followed), "{found:?}");
    let last = found.last().context("there are some")?;
    assert_eq!((&*last.0, last.1), ("logs_p20610901", 30 * 24));
    // A lapse that one call does not fill.
    let hourly = client.query("SELECT snowflake_create_partitions('logs', '1 hour', 1)", &[]);
    hourly.context("what ends later is enough")?;
    node.clock()?.step(150 * 24 * HOUR);
    let refused =
        refusal(client.query("SELECT snowflake_create_partitions('logs', '1 hour', 1)", &[]))?;
    assert_eq!(
        (&*refused.code, &*refused.message),
        ("54000", "cannot create more than 500 partitions at a time")
    );
    Ok(())
}

#[test]
fn the_present_is_that_of_the_id_clock_where_it_is_ahead() -> Result<()> {
    let (node, mut client) = at("ahead", 0)?;
    client.batch_execute("SELECT snowflake_nextval()")?;
    node.clock()?.step(-100 * 24 * HOUR);
    let create = "SELECT name::text FROM snowflake_create_partitions('logs', '1 month', 0) AS name";
    assert_eq!(texts(&mut client, create)?, ["logs_p20600101"]);
    client.batch_execute("INSERT INTO logs (note) VALUES ('now')")?;
    Ok(())
}
