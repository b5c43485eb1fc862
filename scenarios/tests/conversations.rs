//! Conversations across nodes, short.

use std::time::Duration;

use anyhow::Result;
use snowflake_scenarios::{
    conversations::{Options, run},
    options::defaults,
};
use snowflake_testkit::DEADLINE;

#[test]
fn with_witnesses_no_reply_is_below_its_message_and_without_many_are() -> Result<()> {
    let options = Options { time: Duration::from_secs(4), converge: DEADLINE, ..defaults() };
    let report = run(&options)?;
    assert!(report.all_met(), "{report}");
    println!("{report}");
    Ok(())
}
