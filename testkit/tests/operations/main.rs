//! The tasks of docs/operations.md, done as the page says, on servers of their own. What a task is for is checked
//! afterwards, on the server that it leaves.

mod book;

use std::{
    collections::BTreeSet,
    env,
    fs::{self, OpenOptions},
    io::Write,
    process::Command,
};

use anyhow::{Context, Result, ensure};
use book::{Book, INSERT, ORDERS, PAGE};
use nix::errno::Errno;
use snowflake_testkit::{
    DEADLINE, Node, Outage, PRIMARY_GONE, major_version, not_done, pages::Page, run, shim::Call,
    wait_for,
};

/// A server that knows nothing of the extension.
const WITHOUT: [(&str, &str); 3] = [
    ("shared_preload_libraries", ""),
    ("pg_snowflake.datacenter_id", ""),
    ("pg_snowflake.machine_id", ""),
];
const NO_LEASE: &str = "file \"pg_snowflake.lease\" in the data directory does not exist";
const OTHER_CLUSTER: &str = "snowflake IDs were issued in another database cluster before";

/// What a primary and a standby write when one of them goes.
fn outage() -> Vec<&'static str> {
    [&Outage::LOG[..], &PRIMARY_GONE].concat()
}

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).exists())
}

/// A test for every heading that has commands.
#[test]
fn every_task_of_the_page_is_done_here() -> Result<()> {
    let source = include_str!("main.rs");
    let blocks = Page::read(PAGE)?.blocks()?;
    let tasks: BTreeSet<_> = blocks.iter().filter_map(|block| block.headings.last()).collect();
    ensure!(tasks.len() > 15, "{tasks:?}");
    for task in tasks {
        ensure!(source.contains(&format!("run(\"{task}\")")), "nothing does \"{task}\"");
    }
    Ok(())
}

#[test]
fn a_server_is_numbered() -> Result<()> {
    let book = Book::open()?;
    book.start("primary", &WITHOUT)?;
    assert_eq!(book.run("Number a server")?, "CREATE EXTENSION\n0|3|\n");
    ensure!(book.number("primary", "SELECT snowflake_nextval()")? > 0);
    book.close(&[])
}

#[test]
fn a_server_is_added_with_the_layout_of_the_others() -> Result<()> {
    let book = Book::with_primary_of(&[
        ("pg_snowflake.sequence_bits", "10"),
        ("pg_snowflake.epoch", "2025-01-01 00:00:00+00"),
    ])?;
    book.start("other", &WITHOUT)?;
    // No row has the number.
    assert_eq!(book.run("Add a server")?, "CREATE EXTENSION\n");
    let id = book.number("other", "SELECT snowflake_nextval()")?;
    let parts = format!(
        "SELECT datacenter, machine, id_time - now() < '1 hour' FROM snowflake_decode({id})"
    );
    assert_eq!(book.query("primary", &parts)?, "0|4|t");
    book.close(&[])
}

#[test]
fn a_machine_id_is_changed() -> Result<()> {
    let book = Book::with_primary()?;
    let before = book.max("primary")?;
    let printed = book.run("Change a machine id")?;
    let lease_end = printed.lines().nth(1).context("no end of the lease")?;
    let is_bound = format!("SELECT snowflake_timestamp({before}) <= '{lease_end}'");
    assert_eq!(book.query("primary", &is_bound)?, "t");
    let id = book.next("primary")?;
    ensure!(id > before);
    assert_eq!(book.query("primary", &format!("SELECT machine FROM snowflake_decode({id})"))?, "5");
    book.close(&[])
}

#[test]
fn a_server_is_restored_by_pg_basebackup() -> Result<()> {
    let book = Book::with_primary()?;
    book.run("Back up with pg_basebackup")?;
    book.query("primary", INSERT)?;
    let lost = book.max("primary")?;
    book.run("Restore it in place of the server")?;
    ensure!(book.max("primary")? < lost);
    ensure!(book.next("primary")? > lost);
    book.close(&[])
}

#[test]
fn a_server_is_restored_by_pgbackrest() -> Result<()> {
    ensure!(
        is_installed("pgbackrest"),
        "pgbackrest is not installed (tools/setup servers does it)"
    );
    let mut book = Book::with_primary()?;
    // They win over the page's file, whose paths belong to the system.
    let home = book.warden.home().display().to_string();
    book.variables = vec![
        ("PGBACKREST_CONFIG", format!("{home}/pgbackrest.conf").into()),
        ("PGBACKREST_REPO1_PATH", format!("{home}/repository").into()),
        ("PGBACKREST_PG1_PATH", format!("{home}/primary/data").into()),
        ("PGBACKREST_PG1_SOCKET_PATH", format!("{home}/primary").into()),
        ("PGBACKREST_PG1_USER", "postgres".into()),
        ("PGBACKREST_LOG_PATH", home.clone().into()),
        ("PGBACKREST_LOCK_PATH", format!("{home}/lock").into()),
        ("PGBACKREST_SPOOL_PATH", format!("{home}/spool").into()),
    ];
    let backed_up = book.run("Back up with pgBackRest");
    if let Err(error) = &backed_up
        && format!("{error:#}").contains("is this version of PostgreSQL supported?")
    {
        return not_done("this pgBackRest is older than this PostgreSQL");
    }
    backed_up?;
    book.query("primary", INSERT)?;
    let archived = book.max("primary")?;
    book.run("Restore what has changed")?;
    book.wait_for_promotion("primary")?;
    assert_eq!(book.max("primary")?, archived);
    ensure!(book.next("primary")? > archived);

    let kept = book.max("primary")?;
    book.variables.push(("TIME", book.query("primary", "SELECT clock_timestamp()")?.into()));
    book.query("primary", INSERT)?;
    let lost = book.max("primary")?;
    book.run("Restore to a point in time")?;
    book.wait_for_promotion("primary")?;
    assert_eq!(book.max("primary")?, kept);
    ensure!(book.next("primary")? > lost);
    book.close(&[])
}

#[test]
fn a_standby_takes_over_and_the_old_primary_comes_back() -> Result<()> {
    let book = Book::with_standby()?;
    let printed =
        book.query("standby", "SELECT machine, error IS NOT NULL FROM snowflake_status()")?;
    assert_eq!(printed, "1|t");
    let before = book.max("primary")?;
    book.sh("primary", "pg_ctl stop -m immediate")?;
    book.run("Fail over")?;
    let after = book.next("standby")?;
    ensure!(after > before);
    book.run("Bring a failed primary back")?;
    book.wait_for_replay("standby", "primary")?;
    assert_eq!(book.max("primary")?, after);
    // And it is of use.
    book.sh("standby", "pg_ctl stop -m immediate")?;
    book.sh("primary", "pg_ctl promote")?;
    ensure!(book.next("primary")? > after);
    book.close(&outage())
}

#[test]
fn primary_and_standby_change_places() -> Result<()> {
    let book = Book::with_standby()?;
    let before = book.max("primary")?;
    book.run("Switch over")?;
    let after = book.next("standby")?;
    ensure!(after > before);
    book.wait_for_replay("standby", "primary")?;
    assert_eq!(book.max("primary")?, after);
    book.close(&outage())
}

/// From a release to the next: `upgrade.rs`.
#[test]
fn the_extension_is_updated_where_it_is() -> Result<()> {
    let book = Book::with_primary()?;
    book.sh("primary", "createdb without; createdb with")?;
    book.sh("primary", "psql -qd with -c 'CREATE EXTENSION pg_snowflake'")?;
    let before = book.max("primary")?;
    assert_eq!(book.run("Update the extension")?, "ALTER EXTENSION\n".repeat(2));
    ensure!(book.next("primary")? > before);
    book.close(&[])
}

/// The PostgreSQL to upgrade to, which has the extension: that of `$SNOWFLAKE_NEW_PG_CONFIG`. pg_upgrade also goes from
/// one version to the same, so without the variable the commands are tried that way.
struct Newer {
    bindir: String,
    major: u32,
}

impl Newer {
    fn find() -> Result<Self> {
        let named = ["SNOWFLAKE_NEW_PG_CONFIG", "PG_CONFIG"].into_iter().find_map(env::var_os);
        let pg_config = named.unwrap_or_else(|| "pg_config".into());
        let ask = |what| run(Command::new(&pg_config).arg(what));
        let version = ask("--version")?;
        let digits = version.split(|c: char| !c.is_ascii_digit()).find(|part| !part.is_empty());
        let major = digits.context("no version")?.parse()?;
        Ok(Self { bindir: ask("--bindir")?.trim().to_owned(), major })
    }
}

/// Moves the primary's ID clock, as a wrong clock does.
fn raise(book: &Book, ahead: &str) -> Result<()> {
    let there = format!("snowflake_from_timestamp(now() + interval '{ahead}')");
    book.query("primary", &format!("SELECT snowflake_raise({there})"))?;
    Ok(())
}

#[test]
fn a_server_is_upgraded_by_pg_upgrade() -> Result<()> {
    let new = Newer::find()?;
    let mut book = Book::with_primary()?;
    raise(&book, "1 hour")?;
    let before = book.next("primary")?;
    // A setting that is not in postgresql.conf.
    book.query("primary", "ALTER SYSTEM SET pg_snowflake.machine_id = 5")?;
    let options = "--encoding=UTF8 --locale=C --auth=trust";
    // Both with checksums, or both without.
    let changes = major_version()? < 18 && new.major >= 18;
    let checksums = if changes { " --no-data-checksums" } else { "" };
    book.variables = vec![
        ("OLD_BIN", book.installation.bindir().into()),
        ("NEW_BIN", new.bindir.clone().into()),
        ("NEW_PGDATA", book.data("other").into()),
        ("INITDB_OPTIONS", format!("{options}{checksums}").into()),
    ];
    book.run("Upgrade with pg_upgrade")?;
    let path = format!(
        "PATH='{}':$PATH; echo \"listen_addresses = ''\" >>\"$PGDATA/postgresql.conf\"; pg_ctl start",
        new.bindir
    );
    book.sh("other", &path)?;
    let first = book.next("other")?;
    ensure!(first > before);
    let machine = format!("SELECT machine FROM snowflake_decode({first})");
    assert_eq!(book.query("other", &machine)?, "5");
    book.close(&[OTHER_CLUSTER])
}

#[test]
fn a_lease_that_was_forgotten_is_repaired() -> Result<()> {
    let book = Book::with_primary()?;
    raise(&book, "1 hour")?;
    let before = book.next("primary")?;
    book.sh("primary", "pg_ctl stop; rm \"$PGDATA/pg_snowflake.lease\"; pg_ctl start")?;
    ensure!(book.number("primary", "SELECT snowflake_nextval()")? < before, "nothing to repair");
    ensure!(book.log("primary")?.contains(NO_LEASE));
    book.run("Repair a forgotten lease")?;
    ensure!(book.next("primary")? > before);
    book.close(&[NO_LEASE])
}

#[test]
fn a_lease_that_is_damaged_is_replaced() -> Result<()> {
    let book = Book::with_primary()?;
    raise(&book, "1 hour")?;
    let before = book.next("primary")?;
    book.sh("primary", "pg_ctl stop; echo junk >\"$PGDATA/pg_snowflake.lease\"; pg_ctl start")?;
    ensure!(book.query("primary", INSERT).is_err());
    book.run("The lease is damaged")?;
    book.run("Repair a forgotten lease")?;
    ensure!(book.next("primary")? > before);
    book.close(&[NO_LEASE, "is not a valid snowflake lease"])
}

#[test]
fn a_server_moves_with_its_number() -> Result<()> {
    let book = Book::with_primary()?;
    raise(&book, "1 hour")?;
    // An ID that no row has.
    let before = book.number("primary", "SELECT snowflake_nextval()")?;
    book.start("other", &[("pg_snowflake.datacenter_id", "0")])?;
    book.run("Move to a new server")?;
    assert_eq!(book.query("other", "SELECT count(*) FROM orders")?, "1000");
    ensure!(book.next("other")? > before);
    book.close(&[])
}

#[test]
fn a_server_is_split_off_by_pg_createsubscriber() -> Result<()> {
    if major_version()? < 17 {
        return not_done("pg_createsubscriber is there from PostgreSQL 17 on");
    }
    let book = Book::with_primary_of(&[("wal_level", "logical")])?;
    book.query("primary", "ALTER SYSTEM SET pg_snowflake.machine_id = 1")?;
    book.run("Make a standby")?;
    book.run("Split off a server with pg_createsubscriber")?;
    let [here, there] = [book.next("primary")?, book.next("standby")?];
    let machine =
        |id| book.query("primary", &format!("SELECT machine FROM snowflake_decode({id})"));
    assert_eq!([machine(here)?, machine(there)?], ["1", "4"]);
    ensure!(book.log("standby")?.contains(OTHER_CLUSTER));
    book.close(&[&outage()[..], &[OTHER_CLUSTER]].concat())
}

#[test]
fn a_clone_has_a_number_of_its_own() -> Result<()> {
    let book = Book::with_primary()?;
    // As "Change a machine id" leaves it; the file is copied. So is what archives.
    book.query("primary", "ALTER SYSTEM SET pg_snowflake.machine_id = 1")?;
    book.query("primary", "ALTER SYSTEM SET archive_mode = on")?;
    book.run("Clone a server for a test")?;
    let id = book.next("other")?;
    assert_eq!(book.query("other", &format!("SELECT machine FROM snowflake_decode({id})"))?, "31");
    let in_copy = "psql -XAtq -d copy -c 'INSERT INTO orders DEFAULT VALUES RETURNING (snowflake_decode(id)).machine'";
    assert_eq!(book.sh("other", in_copy)?, "31\n");
    assert_eq!(book.query("other", "SHOW archive_mode")?, "off");
    book.close(&[])
}

#[test]
fn a_poisoned_id_space_is_cured() -> Result<()> {
    let book = Book::with_standby()?;
    // What a clock leaves that was ahead by little, and then by eleven months.
    for ahead in ["10 minutes", "11 months"] {
        raise(&book, ahead)?;
        book.query("primary", INSERT)?;
    }
    book.wait_for_replay("primary", "standby")?;
    let printed = book.run("Cure a wrong clock")?;
    // As hours, and the rows with IDs of the future.
    let (drift, rest) = printed.split_once(':').context("no drift")?;
    ensure!(drift.parse::<u32>()? > 7_000 && rest.ends_with("\n2000\n"), "{printed}");
    let wrong = "SELECT count(*) FROM orders WHERE id > snowflake_from_timestamp(now() + interval '1 minute')";
    assert_eq!(book.number("primary", wrong)?, 0);
    assert_eq!(book.number("primary", "SELECT count(*) FROM orders")?, 3_000);
    let before = book.max("primary")?;
    ensure!(book.next("primary")? > before);
    ensure!(
        book.number("primary", "SELECT extract(epoch FROM drift)::bigint FROM snowflake_status()")?
            < 60
    );
    // Nor does the wrong future come back with a standby.
    book.run("Make a standby")?;
    book.wait_for_replay("primary", "standby")?;
    book.sh("primary", "pg_ctl stop -m immediate")?;
    book.run("Fail over")?;
    book.next("standby")?;
    assert_eq!(book.number("standby", wrong)?, 0);
    book.close(&[&outage()[..], &[NO_LEASE]].concat())
}

#[test]
fn a_duplicate_identity_is_found_ended_and_repaired() -> Result<()> {
    let mut book = Book::with_primary()?;
    book.start("other", &[("pg_snowflake.datacenter_id", "0")])?;
    // The history of a copy, of which nothing came twice.
    book.sh("other", "pg_dump -h \"$PRIMARY\" | psql -q -v ON_ERROR_STOP=1")?;
    let copied = book.max("other")?;
    let since = "SELECT date_trunc('milliseconds', clock_timestamp()) + interval '1 ms'";
    book.variables = vec![("SINCE", book.query("other", since)?.into())];
    // Both ask at one moment.
    let moment = "SELECT snowflake_raise(snowflake_from_timestamp(date_trunc('day', now() + interval '1 day')))";
    for host in ["primary", "other"] {
        book.query(host, moment)?;
        book.query(host, INSERT)?;
    }
    assert_eq!(book.run("Find a duplicate identity")?, "datacenter 0, machine 1\n");
    book.run("End it")?;
    assert_eq!(book.run("Find a duplicate identity")?, "");
    book.run("Repair it")?;
    let same = fs::read_to_string(book.warden.home().join("same-ids"))?;
    assert_eq!(same.lines().count(), 1_000);
    // What was copied is as it was.
    assert_eq!(
        book.number("other", &format!("SELECT count(*) FROM orders WHERE id <= {copied}"))?,
        1_000
    );
    // No two rows have one ID any more.
    book.run("Repair it")?;
    assert_eq!(fs::read_to_string(book.warden.home().join("same-ids"))?, "");
    book.close(&[])
}

#[test]
fn a_disk_that_is_full_is_seen_and_forgotten() -> Result<()> {
    let node = Node::builder("full").with_faults().start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute(ORDERS)?;
    node.faults()?.fail_always(Call::Write, Errno::ENOSPC);
    wait_for("a refusal", DEADLINE, || Ok(client.batch_execute(INSERT).is_err()))?;
    let mut book = Book::open()?;
    book.variables = vec![
        ("PGHOST", node.home().to_owned().into()),
        ("PGDATABASE", "postgres".into()),
        ("PGDATA", node.data().into()),
    ];
    let printed = book.run("The disk is full")?;
    ensure!(printed.contains("No space left on device"), "{printed}");
    node.faults()?.heal();
    wait_for("IDs", DEADLINE, || Ok(client.batch_execute(INSERT).is_ok()))?;
    ensure!(!book.run("The disk is full")?.contains("No space left"));
    Ok(())
}

#[test]
fn what_to_watch_is_there() -> Result<()> {
    let book = Book::with_primary()?;
    let printed = book.run("What to watch")?;
    ensure!(printed.starts_with('|'), "no error, so it begins with an empty column: {printed}");
    book.close(&[])
}

/// By what the README itself says, and the tasks that it leads to.
#[test]
fn a_newcomer_gets_from_an_empty_server_to_a_failover() -> Result<()> {
    let book = Book::open()?;
    book.start("primary", &WITHOUT)?;
    let readme = Page::read("README.md")?;
    let blocks = readme.blocks()?;
    let settings = blocks.iter().find(|block| block.language == "ini").context("no settings")?;
    let file = book.data("primary").join("postgresql.conf");
    OpenOptions::new().append(true).open(file)?.write_all(settings.text.as_bytes())?;
    book.sh("primary", "pg_ctl restart")?;
    for block in blocks.iter().filter(|block| block.language == "sql") {
        let printed = book.run_block(block);
        printed.with_context(|| format!("README.md:{}", block.line))?;
    }
    let partitions = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'logs'::regclass";
    assert_eq!(book.number("primary", partitions)?, 4);
    book.run("Back up with pg_basebackup")?;
    let lost = book.next("primary")?;
    book.run("Restore it in place of the server")?;
    let before = book.next("primary")?;
    ensure!(before > lost);
    book.run("Make a standby")?;
    book.wait_for_replay("primary", "standby")?;
    book.sh("primary", "pg_ctl stop -m immediate")?;
    book.run("Fail over")?;
    ensure!(book.next("standby")? > before);
    book.close(&outage())
}
