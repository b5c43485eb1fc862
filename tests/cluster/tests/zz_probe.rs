use anyhow::Result;
use snowflake_cluster::{Load, Node, Outage, durable::Loss, wait_for};
use std::time::Duration;
#[test]
fn rm_lease() -> Result<()> {
    for (bits, per) in [("6", 50), ("4", 10), ("12", 50)] {
        let mut node =
            Node::builder("clock").with_clock().set("pg_snowflake.sequence_bits", bits).start()?;
        node.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
        let load = Load::start(node.config("postgres"), 4, per);
        load.wait_for_new_ids()?;
        Outage::KilledServer.strike(&mut node, |n| {
            Ok(std::fs::remove_file(n.data().join("pg_snowflake.lease"))?)
        })?;
        load.wait_for_new_ids()?;
        println!("{bits} kill {:?}", load.stop().map(|t| t.ids).map_err(|e| e.to_string()));

        let load = Load::start(node.config("postgres"), 4, per);
        load.wait_for_new_ids()?;
        node.clock()?.step(-1_000_000_000);
        Outage::KilledServer.strike(&mut node, |n| {
            Ok(std::fs::remove_file(n.data().join("pg_snowflake.lease"))?)
        })?;
        load.wait_for_new_ids()?;
        println!("{bits} -1s kill {:?}", load.stop().map(|t| t.ids).map_err(|e| e.to_string()));
        let load = Load::start(node.config("postgres"), 4, per);
        load.wait_for_new_ids()?;
        let ids = load.stop()?.ledger.range();
        std::fs::remove_file(node.data().join("pg_snowflake.lease"))?;
        node.clock()?.step(-3_600_000_000_000);
        node.restart()?;
        let load = Load::start(node.config("postgres"), 4, per);
        load.wait_for_new_ids()?;
        println!("clean, removed while running: {ids:?} {:?}", load.stop()?.ledger.range());
    }
    Ok(())
}
#[test]
fn dangling() -> Result<()> {
    let mut node = Node::builder("clock").start()?;
    let mut c = node.connect("postgres")?;
    c.batch_execute("CREATE EXTENSION pg_snowflake")?;
    c.query_one("SELECT snowflake_nextval()", &[])?;
    node.crash()?;
    std::fs::remove_file(node.data().join("pg_snowflake.lease"))?;
    std::os::unix::fs::symlink("/nowhere/x", node.data().join("pg_snowflake.lease"))?;
    node.start()?;
    println!(
        "dangling {:?}",
        node.connect("postgres")?
            .query_one("SELECT snowflake_nextval()", &[])
            .map(|r| r.get::<_, i64>(0))
    );
    println!(
        "{:?}",
        std::fs::symlink_metadata(node.data().join("pg_snowflake.lease"))?.file_type()
    );
    Ok(())
}
#[test]
fn fifo() -> Result<()> {
    let mut node = Node::builder("clock").start()?;
    let mut c = node.connect("postgres")?;
    c.batch_execute("CREATE EXTENSION pg_snowflake")?;
    c.query_one("SELECT snowflake_nextval()", &[])?;
    node.crash()?;
    let p = node.data().join("pg_snowflake.lease");
    std::fs::remove_file(&p)?;
    std::process::Command::new("mkfifo").arg("-m666").arg(&p).status()?;
    node.start()?;
    let mut c = node.connect("postgres")?;
    c.batch_execute("SET statement_timeout='1s'")?;
    let t = std::thread::spawn(move || {
        println!(
            "fifo {:?}",
            c.query_one("SELECT snowflake_nextval()", &[]).map(|r| r.get::<_, i64>(0))
        )
    });
    println!("{:?}", wait_for("fifo", Duration::from_secs(5), || Ok(t.is_finished())));
    println!("{:?}", node.stop());
    Ok(())
}
#[allow(unused)]
fn x(_: Loss) {}
