//! Promise 2: a standby takes over from a primary of the same machine id whose clock was an hour
//! ahead, and returns none of the IDs that it has rows for.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use snowflake_testkit::{Builder, DEADLINE, Load, Node, Outage, PRIMARY_GONE, orders, wait_for};

const SESSIONS: usize = 4;
const HOUR: i64 = 3_600_000_000_000;
/// Drift, lease and the time between two looks of the keeper, together.
const LONGER_THAN_ANY_MARGIN: Duration = Duration::from_secs(8);

/// A primary whose clock is an hour ahead, its standby, and sessions that insert rows.
struct Pair {
    primary: Node,
    standby: Node,
    load: Load,
}

impl Pair {
    fn start() -> Result<Self> {
        Self::start_from(Node::builder("primary"))
    }

    fn start_from(primary: Builder) -> Result<Self> {
        let primary = primary.clock_ahead(HOUR).start()?;
        orders::create(&primary)?;
        let standby = primary.create_standby("standby")?;
        let load = orders::insert(&primary, SESSIONS);
        let pair = Self { primary, standby, load };
        // Rows reach the standby, and its keeper has seen the primary's clock at least once.
        pair.replicate_more()?;
        wait_for("a lease of the standby", DEADLINE, || Ok(pair.lease().is_some()))?;
        Ok(pair)
    }

    /// Waits until a row that is inserted after this call is on the standby.
    fn replicate_more(&self) -> Result<()> {
        self.load.wait_for_new_ids()?;
        self.standby.wait_for_replay_of(&self.primary)
    }

    fn lease(&self) -> Option<Vec<u8>> {
        fs::read(self.standby.data().join("pg_snowflake.lease")).ok()
    }

    /// The primary dies at once, and the standby takes over and is used.
    fn fail_over(mut self) -> Result<()> {
        self.primary.crash()?;
        let before = self.load.stop()?;
        assert_eq!(before.errors, [""; 0]);
        let first_id = promote(&self.standby)?;
        let replicated = orders::ids(&self.standby)?;
        let load = orders::insert(&self.standby, SESSIONS);
        load.wait_for_new_ids()?;
        let after = load.stop()?;
        println!(
            "{} IDs before and {} after, {} of the former replicated",
            before.ids,
            after.ids,
            replicated.len()
        );
        assert_eq!(after.errors, [""; 0]);
        let lowest = first_id.min(after.ledger.range().map_or(i64::MAX, |range| *range.start()));
        assert!(lowest > *replicated.last().context("no rows")?);
        assert_eq!(self.primary.unexpected_log_lines(&Outage::LOG)?, [""; 0]);
        assert_eq!(self.standby.unexpected_log_lines(&PRIMARY_GONE)?, [""; 0]);
        Ok(())
    }
}

/// Returns the first ID after it.
fn promote(standby: &Node) -> Result<i64> {
    let mut client = standby.connect("postgres")?;
    // A server that waited for its clock would take an hour.
    client.batch_execute(&format!("SET statement_timeout = '{}s'", DEADLINE.as_secs()))?;
    let start = Instant::now();
    standby.promote()?;
    let promoted = start.elapsed();
    let id = client.query_one("SELECT snowflake_nextval()", &[])?.get(0);
    let issued = start.elapsed();
    println!("promoted in {promoted:?}, first ID {:?} later", issued - promoted);
    Ok(id)
}

#[test]
fn no_replicated_id_returns_from_a_primary_an_hour_ahead() -> Result<()> {
    let pair = Pair::start()?;
    pair.replicate_more()?;
    pair.fail_over()
}

#[test]
fn no_replicated_id_returns_from_a_primary_set_right_before_its_death() -> Result<()> {
    let pair = Pair::start()?;
    pair.primary.clock()?.step(-HOUR);
    // The last transactions the standby replays have the right time, their IDs are an hour ahead.
    pair.replicate_more()?;
    pair.fail_over()
}

/// A load that takes every ID there is moves the ID clock on with real time, while the wall clock is
/// an hour behind: what the standby saw of the clock before is not enough.
#[test]
fn no_replicated_id_returns_from_a_primary_that_went_on_under_full_load() -> Result<()> {
    let narrow = Node::builder("primary")
        .set("pg_snowflake.sequence_bits", "4")
        .set("pg_snowflake.max_drift", "1s");
    let pair = Pair::start_from(narrow)?;
    pair.primary.clock()?.step(-HOUR);
    let start = Instant::now();
    let burn = Load::start(pair.primary.config("postgres"), 2, 10_000);
    while start.elapsed() < LONGER_THAN_ANY_MARGIN {
        pair.replicate_more()?;
    }
    burn.stop()?;
    pair.fail_over()
}
