//! Wrong settings: refused where they are set; and where they get into the configuration file all
//! the same, the server starts, says so, and issues nothing.

use anyhow::{Context, Result};
use postgres::{Client, NoTls, error::SqlState};
use snowflake_testkit::{DEADLINE, Node, Refusal, durable::LEASE, refusal, wait_for};

const BEFORE_START: &str = "no snowflake IDs will be issued: ";

/// One or more wrong settings, and what the refusal's message and DETAIL have to say.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);

const REFUSED: &[Case] = &[
    (
        &[("epoch", "yesterday")],
        "the configured value of \"pg_snowflake.epoch\" was not accepted",
        "yesterday",
    ),
    (
        &[("epoch", "2024-01-01 00:00:00")],
        "the configured value of \"pg_snowflake.epoch\" was not accepted",
        "2024-01-01 00:00:00",
    ),
    (
        &[("epoch", "2999-01-01 00:00:00+00")],
        "the snowflake epoch lies in the future",
        "2999-01-01",
    ),
    (
        &[("machine_id", "seven")],
        "the configured value of \"pg_snowflake.machine_id\" was not accepted",
        "seven",
    ),
    (
        &[("machine_id", "-2")],
        "the configured value of \"pg_snowflake.machine_id\" was not accepted",
        "-2",
    ),
    (&[("machine_id", "-1")], "\"pg_snowflake.machine_id\" is not set", "no default on purpose"),
    (
        &[("machine_id", "32")],
        "\"pg_snowflake.machine_id\" is out of range",
        "machine_id is 32; the valid range is 0 to 31, with machine_bits = 5",
    ),
    (
        &[("machine_id", "-1"), ("machine_id_from", "host")],
        "the configured value of \"pg_snowflake.machine_id_from\" was not accepted",
        "host",
    ),
    (
        &[("machine_id_from", "hostname")],
        "\"pg_snowflake.machine_id\" and \"pg_snowflake.machine_id_from\" are both set",
        "hostname",
    ),
    (
        &[("datacenter_id", "1"), ("datacenter_bits", "0")],
        "\"pg_snowflake.datacenter_id\" is out of range",
        "the valid range is 0 to 0, with datacenter_bits = 0",
    ),
    (
        &[("sequence_bits", "25")],
        "the configured value of \"pg_snowflake.sequence_bits\" was not accepted",
        "25",
    ),
    (
        &[("machine_bits", "10"), ("sequence_bits", "20")],
        "the snowflake layout leaves too few bits for the timestamp",
        "leave 28 of 63 bits",
    ),
    (
        &[("max_drift", "-1")],
        "the configured value of \"pg_snowflake.max_drift\" was not accepted",
        "-1",
    ),
    // Misspelt: which setting was meant is unknown, so it is not ignored.
    (
        &[("epock", "2020-01-01 00:00:00+00")],
        "unrecognized configuration parameter \"pg_snowflake.epock\"",
        "2020-01-01 00:00:00+00",
    ),
    (
        &[("EPOCK", "yesterday"), ("Machine_ID", "1")],
        "unrecognized configuration parameter \"pg_snowflake.EPOCK\"",
        "yesterday",
    ),
];

fn nextval(client: &mut Client) -> Result<i64, postgres::Error> {
    Ok(client.query_one("SELECT snowflake_nextval()", &[])?.get(0))
}

#[test]
fn a_wrong_setting_keeps_ids_back_but_not_the_server() -> Result<()> {
    let mut node = Node::builder("wrong settings").start()?;
    node.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    for (settings, message, detail) in REFUSED {
        correct(&mut node);
        for (name, value) in *settings {
            node.set(&format!("pg_snowflake.{name}"), value);
        }
        let before = node.log()?.len();
        node.restart()?;
        let logged = format!("WARNING:  {BEFORE_START}{message}");
        assert!(node.log()?[before..].contains(&logged), "{logged}");
        let refusal = refusal(nextval(&mut node.connect("postgres")?))?;
        assert_complete(&refusal, message, detail);
    }
    correct(&mut node);
    node.restart()?;
    nextval(&mut node.connect("postgres")?)?;
    Ok(())
}

fn correct(node: &mut Node) {
    node.set("pg_snowflake.datacenter_id", "1").set("pg_snowflake.machine_id", "1");
    let optional = [
        "machine_id_from",
        "epoch",
        "datacenter_bits",
        "machine_bits",
        "sequence_bits",
        "max_drift",
    ];
    for name in optional.into_iter().chain(["epock", "EPOCK", "Machine_ID"]) {
        node.unset(&format!("pg_snowflake.{name}"));
    }
}

fn assert_complete(refusal: &Refusal, message: &str, detail: &str) {
    assert_eq!(refusal.code, "55000", "{refusal:?}");
    assert_eq!(refusal.message, message);
    assert!(refusal.detail.contains(detail), "{refusal:?}");
    assert!(refusal.hint.contains("pg_snowflake."), "{refusal:?}");
}

#[test]
fn a_server_without_a_machine_id_says_so() -> Result<()> {
    let node = Node::builder("no machine").unset("pg_snowflake.machine_id").start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute("CREATE EXTENSION pg_snowflake")?;
    let refusal = refusal(nextval(&mut client))?;
    assert_complete(&refusal, "\"pg_snowflake.machine_id\" is not set", "on purpose");
    assert!(node.log()?.contains(BEFORE_START));
    client.query_one("SELECT snowflake_decode(0)", &[])?;
    Ok(())
}

/// The keeper was started when it could not issue.
#[test]
fn a_setting_that_a_reload_corrects_is_corrected_for_the_keeper() -> Result<()> {
    let mut node = Node::builder("corrected").set("pg_snowflake.max_drift", "-1").start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute("CREATE EXTENSION pg_snowflake")?;
    refusal(nextval(&mut client))?;
    node.unset("pg_snowflake.max_drift").reload()?;
    wait_for("IDs", DEADLINE, || Ok(nextval(&mut client).is_ok()))?;
    let by_keeper = "SELECT renewals - renewals_by_sessions FROM snowflake_status()";
    wait_for("the keeper to extend the lease", DEADLINE, || {
        nextval(&mut client)?;
        Ok(client.query_one(by_keeper, &[])?.get::<_, i64>(0) >= 3)
    })
}

#[test]
fn a_misspelt_setting_fixes_no_id_space() -> Result<()> {
    let misspelt = "pg_snowflake.epock";
    let mut node = Node::builder("misspelt").set(misspelt, "2020-01-01 00:00:00+00").start()?;
    node.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    let mut client = node.connect("postgres")?;
    let refused = refusal(nextval(&mut client))?;
    assert!(refused.message.contains(misspelt), "{refused:?}");
    // What it was meant to be, decoding would have to follow.
    refusal(client.query_one("SELECT snowflake_decode(0)", &[]))?;
    // The file that CREATE EXTENSION has made fixes nothing.
    assert!(node.data().join(LEASE).exists());
    node.unset(misspelt).set("pg_snowflake.epoch", "2020-01-01 00:00:00+00").restart()?;
    let id = nextval(&mut node.connect("postgres")?)?;
    let years = "SELECT extract(year FROM snowflake_timestamp($1))::int";
    let found: i32 = node.connect("postgres")?.query_one(years, &[&id])?.get(0);
    let now = "SELECT extract(year FROM now())::int";
    assert_eq!(found, node.connect("postgres")?.query_one(now, &[])?.get::<_, i32>(0));
    Ok(())
}

#[test]
fn alter_system_refuses_a_wrong_value() -> Result<()> {
    let node = Node::builder("alter system").start()?;
    let mut client = node.connect("postgres")?;
    let wrong = [
        ("epoch", "yesterday"),
        ("epoch", "2024-01-01 00:00:00"),
        ("epoch", "2024-01-01 00:00:00.0001Z"),
        ("machine_id", "seven"),
        ("machine_id", "-2"),
        ("datacenter_id", "-1"),
        ("datacenter_bits", "-1"),
        ("machine_bits", "25"),
        ("sequence_bits", "25"),
        ("max_drift", "-1"),
        ("max_drift", "2h"),
    ];
    for (name, value) in wrong {
        let statement = format!("ALTER SYSTEM SET pg_snowflake.{name} = '{value}'");
        let refusal = refusal(client.batch_execute(&statement)).context(statement)?;
        assert_eq!(refusal.code, SqlState::INVALID_PARAMETER_VALUE.code());
    }
    let misspelt = client.batch_execute("ALTER SYSTEM SET pg_snowflake.machin_id = 7");
    refusal(misspelt)?;
    client.batch_execute("ALTER SYSTEM SET pg_snowflake.machine_id = 7")?;
    Ok(())
}

#[test]
fn no_session_can_change_a_setting() -> Result<()> {
    let node = Node::builder("sessions").start()?;
    let mut client = node.connect("postgres")?;
    let settings = client
        .query("SELECT name, boot_val FROM pg_settings WHERE name ~ '^pg_snowflake[.]'", &[])?;
    for row in settings {
        let (name, value): (String, String) = (row.get(0), row.get(1));
        for whose in ["", "ALTER ROLE postgres ", "ALTER DATABASE postgres "] {
            let statement = format!("{whose}SET {name} = '{value}'");
            let refusal = refusal(client.batch_execute(&statement)).context(statement)?;
            assert_eq!(refusal.code, SqlState::CANT_CHANGE_RUNTIME_PARAM.code());
        }
        let mut config = node.config("postgres");
        config.options(&format!("-c {name}={}", value.replace(' ', "\\ ")));
        let refusal = refusal(config.connect(NoTls))?;
        assert_eq!(refusal.code, SqlState::CANT_CHANGE_RUNTIME_PARAM.code());
    }
    Ok(())
}

#[test]
fn every_setting_describes_itself() -> Result<()> {
    let node = Node::builder("settings").start()?;
    let rows = node.connect("postgres")?.query(
        "SELECT name, context, coalesce(unit, ''), vartype, short_desc, extra_desc
         FROM pg_settings WHERE name ~ '^pg_snowflake[.]' ORDER BY name",
        &[],
    )?;
    let mut found = Vec::new();
    for row in &rows {
        let [name, context, unit, kind, short, extra] = [0, 1, 2, 3, 4, 5].map(|i| row.get(i));
        found.push([name, context, unit, kind]);
        let described = |text: &str| text.ends_with('.') && text.len() > 20;
        assert!(described(short) && described(extra), "{name}: {short} {extra}");
    }
    let expected = [
        ["pg_snowflake.datacenter_bits", "postmaster", "", "integer"],
        ["pg_snowflake.datacenter_id", "postmaster", "", "integer"],
        ["pg_snowflake.epoch", "postmaster", "", "string"],
        ["pg_snowflake.machine_bits", "postmaster", "", "integer"],
        ["pg_snowflake.machine_id", "postmaster", "", "integer"],
        ["pg_snowflake.machine_id_from", "postmaster", "", "string"],
        ["pg_snowflake.max_drift", "sighup", "ms", "integer"],
        ["pg_snowflake.sequence_bits", "postmaster", "", "integer"],
    ];
    assert_eq!(found, expected);
    Ok(())
}

#[test]
fn a_reload_changes_max_drift_only() -> Result<()> {
    let mut node = Node::builder("reload").start()?;
    node.set("pg_snowflake.max_drift", "1min").set("pg_snowflake.machine_id", "9").reload()?;
    let mut client = node.connect("postgres")?;
    let mut show = |name: &str| -> Result<String> {
        Ok(client.query_one(&format!("SHOW {name}"), &[])?.get(0))
    };
    assert_eq!(show("pg_snowflake.max_drift")?, "1min");
    assert_eq!(show("pg_snowflake.machine_id")?, "1");
    Ok(())
}
