//! `make demo`, as a newcomer runs it.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

#[test]
fn the_demo_succeeds_and_lends_its_server_to_psql() -> Result<()> {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_demo"))
        .arg("--psql")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut keyboard = demo.stdin.take().context("no stdin")?;
    keyboard.write_all(b"SELECT 'rows: ' || count(*) FROM orders;\n")?;
    drop(keyboard);
    let output = demo.wait_with_output()?;
    let text = String::from_utf8(output.stdout)?;
    assert!(output.status.success(), "{text}");
    assert!(text.contains("datacenter 1, machine 1"), "{text}");
    assert!(text.contains("rows: 1000003"), "{text}");
    assert!(text.ends_with("Nothing is left running.\n"), "{text}");
    Ok(())
}
