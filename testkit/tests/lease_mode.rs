//! The lease has the permissions of the server's other files.

use anyhow::{Result, ensure};
use snowflake_testkit::{Builder, Node};
use std::{io::ErrorKind, os::unix::fs::PermissionsExt as _};

/// Permissions of all files in the data directory whose names begin with the extension's.
fn modes(node: &Node) -> Result<Vec<u32>> {
    let mut modes = Vec::new();
    for entry in std::fs::read_dir(node.data())? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("pg_snowflake") {
            match entry.metadata() {
                Ok(file) => modes.push(file.permissions().mode() & 0o777),
                // Renamed meanwhile: the keeper has written a lease.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(modes)
}

fn check(builder: Builder, expected: u32) -> Result<()> {
    let mut node = builder.start()?;
    node.connect("postgres")?
        .batch_execute("CREATE EXTENSION pg_snowflake; SELECT snowflake_nextval()")?;
    let running = modes(&node)?;
    node.stop()?;
    let stopped = modes(&node)?;
    let all_as_expected =
        |modes: &[u32]| !modes.is_empty() && modes.iter().all(|&it| it == expected);
    ensure!(all_as_expected(&running) && all_as_expected(&stopped), "{running:?} {stopped:?}");
    Ok(())
}

#[test]
fn the_group_reads_the_lease_where_it_reads_the_cluster() -> Result<()> {
    check(Node::builder("group").group_access(), 0o640)
}

#[test]
fn only_the_owner_reads_it_elsewhere() -> Result<()> {
    check(Node::builder("owner"), 0o600)
}
