//! A hot standby, before and after its promotion.

use anyhow::Result;
use postgres::Client;
use snowflake_testkit::{Node, PRIMARY_GONE, Refusal, refusal};

fn nextval(client: &mut Client) -> Result<i64, postgres::Error> {
    Ok(client.query_one("SELECT snowflake_nextval()", &[])?.get(0))
}

fn machine_of(client: &mut Client, id: i64) -> Result<i32> {
    let machine = "SELECT machine FROM snowflake_decode($1)";
    Ok(client.query_one(machine, &[&id])?.get(0))
}

#[test]
fn a_standby_refuses_decodes_and_issues_once_promoted() -> Result<()> {
    let mut primary = Node::builder("primary").start()?;
    let mut on_primary = primary.connect("postgres")?;
    on_primary.batch_execute("CREATE EXTENSION pg_snowflake")?;
    let id = nextval(&mut on_primary)?;
    let standby = primary.standby_builder("standby").set("pg_snowflake.machine_id", "2").start()?;
    standby.wait_for_replay_of(&primary)?;
    let mut on_standby = standby.connect("postgres")?;

    assert_eq!(refusal(nextval(&mut on_standby))?, of_a_standby());
    assert_eq!(machine_of(&mut on_standby, id)?, 1);

    primary.crash()?;
    standby.promote()?;
    // The session that was refused, and a new one.
    let issued = nextval(&mut on_standby)?;
    assert_eq!(machine_of(&mut on_standby, issued)?, 2);
    assert!(nextval(&mut standby.connect("postgres")?)? > issued);
    let expected = [&[REFUSAL][..], &PRIMARY_GONE].concat();
    assert_eq!(standby.unexpected_log_lines(&expected)?, [""; 0]);
    Ok(())
}

const REFUSAL: &str = "cannot issue snowflake IDs during recovery";

fn of_a_standby() -> Refusal {
    Refusal {
        code: "25006".into(),
        message: REFUSAL.into(),
        detail: "This server is a standby: the IDs of its primary reach it with the replicated \
                 rows."
            .into(),
        hint: "Issue them on the primary, or promote this server.".into(),
    }
}
