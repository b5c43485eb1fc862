//! The promise under concurrency: many sessions, several databases, one server.

use std::thread;

use anyhow::Result;
use postgres::Client;
use snowflake_testkit::{Ledger, Node, Session};

const SESSIONS: usize = 8;
const IDS_PER_SESSION: usize = 260_000;
const SINGLE: &str = "SELECT snowflake_nextval()";
const MANY: &str = "SELECT snowflake_nextval() FROM generate_series(1, $1)";
const REQUEST_SIZES: [i32; 4] = [10, 20_000, 1, 3_000];

#[test]
fn concurrent_sessions_get_distinct_ordered_ids() -> Result<()> {
    let node = Node::builder("unique").start()?;
    let databases = ["postgres", "other"];
    node.connect("postgres")?.batch_execute("CREATE DATABASE other")?;
    for database in databases {
        node.connect(database)?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    }
    let mut clients = Vec::new();
    for i in 0..SESSIONS {
        clients.push(node.connect(databases[i % databases.len()])?);
    }
    let ledger = ask_at_once(clients)?;
    assert!(ledger.ids().count() >= 2_000_000);
    ledger.check()?;
    assert_eq!(node.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}

fn ask_at_once(clients: Vec<Client>) -> Result<Ledger> {
    thread::scope(|scope| {
        let threads: Vec<_> = clients
            .into_iter()
            .enumerate()
            .map(|(i, client)| scope.spawn(move || collect(client, &i.to_string())))
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a client panicked")).collect()
    })
}

/// Single calls and large requests in turn, until there are enough IDs.
fn collect(mut client: Client, name: &str) -> Result<Session> {
    let single = client.prepare(SINGLE)?;
    let many = client.prepare_typed(MANY, &[postgres::types::Type::INT4])?;
    let mut session = Session::new(name);
    for size in REQUEST_SIZES.into_iter().cycle() {
        for _ in 0..50 {
            session
                .request(|| client.query_one(&single, &[]).map(|row| vec![row.get::<_, i64>(0)]))?;
        }
        session.request(|| {
            let rows = client.query(&many, &[&size])?;
            Ok::<_, postgres::Error>(rows.iter().map(|row| row.get(0)).collect())
        })?;
        if session.ids().len() >= IDS_PER_SESSION {
            break;
        }
    }
    Ok(session)
}
