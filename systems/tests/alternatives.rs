//! The alternatives, short: what has to hold on any machine. How long things take is not asserted.

use std::{fs, path::Path, time::Duration};

use anyhow::Result;
use snowflake_systems::alternatives::{self, Options, page::Page};

fn short() -> Options {
    Options {
        time: Duration::from_secs(1),
        rows: 40_000,
        keys: 20_000,
        pairs: 150,
        requests: 1,
        // Generous, because tests share a machine.
        patience: Duration::from_secs(2),
        loopback: false,
    }
}

#[test]
fn the_alternatives_differ_in_order_size_and_availability_and_none_repeats_a_key() -> Result<()> {
    let report = alternatives::run(&short())?;
    assert!(report.all_met(), "{report}");
    Ok(())
}

#[test]
fn they_do_so_on_loopback() -> Result<()> {
    let report = alternatives::run(&Options { loopback: true, ..short() })?;
    assert!(report.all_met(), "{report}");
    Ok(())
}

#[test]
fn the_page_in_the_docs_is_that_of_the_figures_beside_it() -> Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let text = fs::read_to_string(docs.join("alternatives.md"))?;
    assert_eq!(Page::read(&docs)?.text()?, text, "make alternatives, or its --words");
    Ok(())
}
