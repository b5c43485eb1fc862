//! Two servers that know nothing of each other.

use std::thread;

use anyhow::Result;
use snowflake_testkit::{Ledger, Node, Session, ledger::distinct};

const IDS: i32 = 500_000;
const REQUEST: i32 = 5_000;

#[test]
fn servers_with_different_machine_ids_never_collide() -> Result<()> {
    let [seven, eight] = thread::scope(|scope| {
        let servers = ["7", "8"].map(|machine| scope.spawn(move || issue(machine)));
        servers.map(|server| server.join().expect("a client panicked"))
    });
    let (seven, eight) = (seven?, eight?);
    seven.check()?;
    eight.check()?;
    distinct(seven.ids().chain(eight.ids()))?;
    Ok(())
}

fn issue(machine: &str) -> Result<Ledger> {
    let node = Node::builder(&format!("machine {machine}"))
        .set("pg_snowflake.machine_id", machine)
        .start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute("CREATE EXTENSION pg_snowflake")?;
    let many = client.prepare("SELECT snowflake_nextval() FROM generate_series(1, $1::int)")?;
    let mut session = Session::new(machine);
    for _ in 0..IDS / REQUEST {
        session.request(|| {
            let rows = client.query(&many, &[&REQUEST])?;
            Ok::<_, postgres::Error>(rows.iter().map(|row| row.get(0)).collect())
        })?;
    }
    let last = session.ids().last();
    let decoded =
        client.query_one("SELECT machine::text FROM snowflake_decode($1::bigint)", &[&last])?;
    assert_eq!(decoded.get::<_, String>(0), machine);
    assert_eq!(session.ids().len(), usize::try_from(IDS)?);
    Ok(Ledger::from_iter([session]))
}
