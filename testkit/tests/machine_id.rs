//! A machine id that no setting gives: from the host's name, the environment or a file, read once at server start.

use anyhow::Result;
use postgres::Client;
use snowflake_testkit::{Node, refusal};
use std::fs;

const FROM: &str = "pg_snowflake.machine_id_from";

fn server(name: &str) -> Result<Node> {
    let mut node = Node::builder(name).unset("pg_snowflake.machine_id").start()?;
    node.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    node.stop()?;
    node.set(FROM, "env:POD_NAME");
    Ok(node)
}

/// The machine of a new ID, and what monitoring sees.
fn machine(client: &mut Client) -> Result<(i32, String, i32)> {
    let query = "SELECT d.machine, s.machine_source, s.machine
                 FROM snowflake_decode(snowflake_nextval()) AS d, snowflake_status() AS s";
    let row = client.query_one(query, &[])?;
    Ok((row.get(0), row.get(1), row.get(2)))
}

#[test]
fn members_get_their_numbers_from_their_names() -> Result<()> {
    let mut node = server("members")?;
    for (name, wanted) in [("orders-pg-3", 3), ("pg-0.pg.shop.svc", 0), ("db31", 31)] {
        node.set_environment("POD_NAME", name).start()?;
        let found = machine(&mut node.connect("postgres")?)?;
        assert_eq!(found, (wanted, "env:POD_NAME".to_owned(), wanted), "{name}");
        let warned = node.log()?.contains("machine id 0 is taken from environment variable");
        assert_eq!(warned, node.log()?.contains("pg-0.pg.shop.svc"), "{name}");
        node.stop()?;
    }
    assert!(node.log()?.contains("machine id 0 is taken from environment variable \"POD_NAME\""));
    Ok(())
}

#[test]
fn a_name_without_a_number_that_fits_issues_nothing() -> Result<()> {
    let mut node = server("wrong names")?;
    let variable = "environment variable \"POD_NAME\"";
    for (name, message, detail) in [
        (
            "orders",
            format!("no machine id found in {variable}"),
            "It is \"orders\"; needed is a decimal number",
        ),
        ("10.0.0.5", format!("no machine id found in {variable}"), "It is \"10.0.0.5\""),
        ("ip-10-0-3-17.ec2.internal", format!("no machine id found in {variable}"), "addresses"),
        ("3f2a9b7c1d05", format!("no machine id found in {variable}"), "container ids"),
        ("a\nb-", format!("no machine id found in {variable}"), "It is \"a\\nb-\""),
        (
            "pg-32",
            format!("machine id found in {variable} is out of range"),
            "It is \"pg-32\"; the valid range is 0 to 31, with machine_bits = 5.",
        ),
        (
            "pg-99999999999999999999",
            format!("machine id found in {variable} is out of range"),
            "the valid range is 0 to 31",
        ),
    ] {
        node.set_environment("POD_NAME", name).start()?;
        let mut client = node.connect("postgres")?;
        let refused = refusal(client.query_one("SELECT snowflake_nextval()", &[]))?;
        assert_eq!((refused.code.as_str(), &refused.message), ("55000", &message), "{name:?}");
        assert!(refused.detail.contains(detail), "{refused:?}");
        assert!(refused.hint.contains("machine_id"), "{refused:?}");
        let error: String = client.query_one("SELECT error FROM snowflake_status()", &[])?.get(0);
        assert_eq!(error, message);
        assert!(node.log()?.contains(&format!("no snowflake IDs will be issued: {message}")));
        node.stop()?;
    }
    Ok(())
}

#[test]
fn a_variable_that_is_not_set_is_named() -> Result<()> {
    let mut node = server("no variable")?;
    node.set(FROM, "env:SNOWFLAKE_NO_SUCH_VARIABLE").start()?;
    let mut client = node.connect("postgres")?;
    let refused = refusal(client.query_one("SELECT snowflake_nextval()", &[]))?;
    assert_eq!(refused.detail, "It could not be read: it is not set.");
    Ok(())
}

#[test]
fn a_file_is_read_at_the_start_and_not_again() -> Result<()> {
    let mut node = server("file")?;
    let path = node.home().join("number");
    let from = format!("file:{}", path.display());
    node.set(FROM, &from);
    for (content, wanted) in [("7\n", Ok(7)), ("x", Err("It is \"x\"")), ("12", Ok(12))] {
        fs::write(&path, content)?;
        node.start()?;
        fs::write(&path, "30")?;
        let mut client = node.connect("postgres")?;
        match wanted {
            Ok(number) => assert_eq!(machine(&mut client)?, (number, from.clone(), number)),
            Err(detail) => {
                let refused = refusal(client.query_one("SELECT snowflake_nextval()", &[]))?;
                assert!(refused.detail.contains(detail), "{refused:?}");
            }
        }
        // Sessions that crash take the postmaster's memory with them, but not what it has found.
        node.kill9_backend(client.query_one("SELECT pg_backend_pid()", &[])?.get(0))?;
        if let Ok(number) = wanted {
            assert_eq!(machine(&mut node.connect_when_ready("postgres")?)?.0, number);
        }
        drop(node.connect_when_ready("postgres")?);
        node.stop()?;
    }
    Ok(())
}

#[test]
fn what_is_no_file_does_not_keep_the_server_from_starting() -> Result<()> {
    let mut node = server("no file")?;
    let home = node.home().to_owned();
    let pipe = home.join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status()?.success());
    for (path, detail) in [
        (pipe, "it is not a regular file"),
        (home.join("missing"), "No such file or directory"),
        (home, "it is not a regular file"),
    ] {
        node.set(FROM, &format!("file:{}", path.display())).start()?;
        let mut client = node.connect("postgres")?;
        let refused = refusal(client.query_one("SELECT snowflake_nextval()", &[]))?;
        assert!(refused.detail.contains(detail), "{refused:?}");
        node.stop()?;
    }
    Ok(())
}

#[test]
fn the_name_of_the_host_counts() -> Result<()> {
    let mut node = server("host")?;
    node.set(FROM, "hostname").start()?;
    let name = fs::read_to_string("/proc/sys/kernel/hostname")?;
    let mut client = node.connect("postgres")?;
    // What this machine is called is not for a test to say: either its number is used, or its name refused.
    match machine(&mut client) {
        Ok((number, source, _)) => {
            assert_eq!(source, "hostname");
            let host = name.trim().split('.').next().unwrap_or_default();
            let end = host.trim_start_matches(|c: char| !c.is_ascii_digit());
            assert!(host.ends_with(&number.to_string()), "{number} of {end}");
        }
        Err(_) => {
            let refused = refusal(client.query_one("SELECT snowflake_nextval()", &[]))?;
            assert!(refused.message.contains("host name"), "{refused:?}");
            assert!(refused.detail.contains(name.trim()), "{refused:?}");
        }
    }
    Ok(())
}
