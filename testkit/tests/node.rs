//! The harness itself: what a `Node` says it does. Needs no extension.

use std::net::{SocketAddr, TcpListener};

use anyhow::{Context, Result};
use postgres::{Client, Config, NoTls};
use snowflake_testkit::{Builder, Node, processes_in};

fn plain(name: &str) -> Builder {
    Node::builder(name).unset("shared_preload_libraries")
}

fn with_row(node: &Node) -> Result<()> {
    let mut client = node.connect("postgres")?;
    Ok(client.batch_execute("CREATE TABLE t (x int); INSERT INTO t VALUES (1)")?)
}

fn rows(client: &mut Client) -> Result<i64> {
    Ok(client.query_one("SELECT count(*) FROM t", &[])?.get(0))
}

#[test]
fn settings_reach_the_server_at_start_reload_and_restart() -> Result<()> {
    let mut node = plain("settings").set("work_mem", "1MB").start()?;
    let show = |node: &Node, name: &str| -> Result<String> {
        let mut client = node.connect("postgres")?;
        Ok(client.query_one(&format!("SHOW {name}"), &[])?.get(0))
    };
    assert_eq!(show(&node, "work_mem")?, "1MB");
    assert_eq!(show(&node, "TimeZone")?, "UTC");
    assert_eq!(show(&node, "fsync")?, "on");
    assert_eq!(show(&node, "data_checksums")?, "off");
    node.set("work_mem", "2MB").reload()?;
    assert_eq!(show(&node, "work_mem")?, "2MB");
    node.set("max_connections", "41").restart()?;
    assert_eq!(show(&node, "max_connections")?, "41");
    assert_eq!(node.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}

#[test]
fn a_crashed_server_recovers() -> Result<()> {
    let mut node = plain("crash").start()?;
    with_row(&node)?;
    node.crash()?;
    assert_eq!(processes_in(node.home())?, []);
    node.start()?;
    assert!(node.log()?.contains("not properly shut down"));
    assert_eq!(rows(&mut node.connect("postgres")?)?, 1);
    Ok(())
}

#[test]
fn a_killed_server_recovers() -> Result<()> {
    let mut node = plain("kill").start()?;
    with_row(&node)?;
    node.kill9_all()?;
    assert_eq!(processes_in(node.home())?, []);
    node.start()?;
    assert_eq!(rows(&mut node.connect("postgres")?)?, 1);
    Ok(())
}

#[test]
fn a_server_outlives_a_killed_backend() -> Result<()> {
    let node = plain("backend").start()?;
    with_row(&node)?;
    let mut victim = node.connect("postgres")?;
    let pid = victim.query_one("SELECT pg_backend_pid()", &[])?.get(0);
    node.kill9_backend(pid)?;
    assert!(rows(&mut victim).is_err());
    assert_eq!(rows(&mut node.connect_when_ready("postgres")?)?, 1);
    assert!(node.kill9_backend(1).is_err());
    Ok(())
}

#[test]
fn a_standby_streams_and_promotes() -> Result<()> {
    let mut primary = plain("primary").start()?;
    let standby = primary.create_standby("standby")?;
    with_row(&primary)?;
    standby.wait_for_replay_of(&primary)?;
    let mut client = standby.connect("postgres")?;
    assert_eq!(rows(&mut client)?, 1);
    assert!(client.execute("INSERT INTO t VALUES (2)", &[]).is_err());
    primary.crash()?;
    standby.promote()?;
    client.execute("INSERT INTO t VALUES (2)", &[])?;
    assert_eq!(rows(&mut client)?, 2);
    Ok(())
}

#[test]
fn nothing_is_left_after_a_drop() -> Result<()> {
    let node = plain("drop").start()?;
    let home = node.home().to_owned();
    let _open = node.connect("postgres")?;
    assert!(!processes_in(&home)?.is_empty());
    drop(node);
    assert_eq!(processes_in(&home)?, []);
    assert!(!home.exists());
    Ok(())
}

#[test]
fn a_server_outlives_the_thread_that_started_it() -> Result<()> {
    let node = std::thread::spawn(|| plain("thread").start()).join();
    let node = node.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    with_row(&node)
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let error = plain("broken").set("shared_buffers", "many").start();
    let text = format!("{:#}", error.err().unwrap_or_else(|| panic!("it started")));
    assert!(text.contains("postgres -D"), "{text}");
    assert!(text.contains("invalid value for parameter \"shared_buffers\""), "{text}");
}

#[test]
fn a_server_listens_where_it_is_told_to() -> Result<()> {
    // All of 127.0.0.0/8 is this machine; no other program uses a random part of it. The port is below those
    // that the kernel gives to programs that ask for any.
    let address = [127, fastrand::u8(1..), fastrand::u8(..), 1];
    let mut ports =
        std::iter::repeat_with(|| SocketAddr::from((address, fastrand::u16(20_000..30_000))));
    let address = ports.find(|&address| TcpListener::bind(address).is_ok()).context("no port")?;
    let node = plain("listening").listen(address, "127.0.0.0/8").start()?;
    with_row(&node)?;
    let mut config = Config::new();
    config.host(&address.ip().to_string()).port(address.port());
    config.user("postgres").dbname("postgres");
    assert_eq!(rows(&mut config.connect(NoTls)?)?, 1);
    Ok(())
}
