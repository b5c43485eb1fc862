//! The alternatives, short: what has to hold on any machine. How long things take is not asserted.

use std::{fs, path::Path, time::Duration};

use anyhow::Result;
use snowflake_scenarios::{
    alternatives::{self, Options},
    suite::{Results, pages},
};

#[test]
fn the_alternatives_differ_in_order_size_and_availability_and_none_repeats_a_key() -> Result<()> {
    let short = Options {
        time: Duration::from_secs(1),
        rows: 40_000,
        keys: 20_000,
        // An order that is left to chance is as likely as not between any two.
        pairs: 200,
        requests: 1,
        // Of a machine that other tests keep busy: a server that is there is not to be given up.
        patience: Duration::from_secs(5),
    };
    let report = alternatives::run(&short)?;
    assert!(report.all_met(), "{report}");
    Ok(())
}

#[test]
fn pages_in_the_docs_are_those_of_the_figures_beside_them() -> Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    for (name, text) in pages(&Results::read(&docs.join("scenarios.json"))?)? {
        let found = fs::read_to_string(docs.join(name))?;
        assert_eq!(found, text, "`tools/scenarios --docs docs --words` writes {name}");
    }
    Ok(())
}
