//! A disk that is really full: no file can be made, nor grow. IDs go on, as the lease has all its blocks, and WAL has
//! room in the segment that it is in.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};
use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, unshare},
};
use postgres::Client;
use snowflake_testkit::{
    DEADLINE, Installation, Load, Node, not_done, private_directory, refusal, wait_for,
};
use tempfile::TempDir;

/// A new data directory has about 40 MB, of which 16 are WAL.
const SIZE: &str = "size=96m";
const SESSIONS: usize = 2;
const IDS_PER_REQUEST: u32 = 10;
const RENEWALS: i64 = 5;
/// The table's first row, for which its file has to grow.
const INSERT: &str = "INSERT INTO orders VALUES (1)";
const NEXT: &str = "SELECT snowflake_nextval()";

/// For this thread and what it starts alone: it is gone with them, however they end.
struct SmallDisk {
    place: TempDir,
}

impl SmallDisk {
    /// None where that is not allowed.
    fn mount() -> Result<Option<Self>> {
        const NONE: Option<&str> = None;
        match unshare(CloneFlags::CLONE_NEWNS) {
            Err(Errno::EPERM) => return Ok(None),
            unshared => unshared.context("leaving the mounts of the others")?,
        }
        let privately = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(NONE, "/", NONE, privately, NONE).context("keeping mounts private")?;
        let place = private_directory()?;
        match mount(Some("tmpfs"), place.path(), Some("tmpfs"), MsFlags::empty(), Some(SIZE)) {
            Err(Errno::EPERM) => return Ok(None),
            mounted => mounted.context("mounting a tmpfs")?,
        }
        let disk = Self { place };
        Installation::find()?.give(disk.path())?;
        Ok(Some(disk))
    }

    fn path(&self) -> &Path {
        self.place.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Before its directory is removed.
        umount2(self.path(), MntFlags::MNT_DETACH).ok();
    }
}

/// Takes all the room that is left.
fn fill(file: &Path) -> Result<()> {
    let mut filler = File::create(file)?;
    // A page, at last.
    for size in [1 << 20, 4096] {
        let block = vec![0xaa; size];
        loop {
            match filler.write_all(&block) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => bail!("filling the disk: {error}"),
            }
        }
    }
    Ok(())
}

fn renewals(client: &mut Client) -> Result<i64> {
    Ok(client.query_one("SELECT renewals FROM snowflake_status()", &[])?.get(0))
}

#[test]
fn ids_go_on_on_a_full_disk() -> Result<()> {
    let Some(disk) = SmallDisk::mount()? else {
        return not_done("a full disk: only root may mount one to fill");
    };
    let builder = Node::builder("full").home_in(disk.path());
    // Neither is to need room of its own accord.
    let builder = builder.set("checkpoint_timeout", "1d").set("autovacuum", "off");
    let mut node = builder.start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute("CREATE EXTENSION pg_snowflake; CREATE TABLE orders (id bigint)")?;
    let filler = disk.path().join("filler");

    let load = Load::start(node.config("postgres"), SESSIONS, IDS_PER_REQUEST);
    load.wait_for_new_ids()?;
    let before = renewals(&mut client)?;
    fill(&filler)?;
    let full = File::create(disk.path().join("new")).and_then(|mut new| new.write_all(b"x"));
    ensure!(full.is_err_and(|error| error.kind() == ErrorKind::StorageFull), "the disk has room");
    let refused = refusal(client.execute(INSERT, &[]))?;
    ensure!(refused.code == "53100", "{refused:?}");
    wait_for("renewals on a full disk", DEADLINE, || {
        Ok(renewals(&mut client)? >= before + RENEWALS)
    })?;
    load.wait_for_new_ids()?;
    let tally = load.stop()?;
    ensure!(tally.errors.is_empty(), "{:?}", tally.errors);
    let last = *tally.ledger.range().context("no IDs")?.end();
    let failure = "SELECT error IS NULL FROM snowflake_status()";
    ensure!(client.query_one(failure, &[])?.get::<_, bool>(0));

    node.kill9_all()?;
    fs::remove_file(&filler)?;
    node.start()?;
    let mut client = node.connect("postgres")?;
    let next: i64 = client.query_one(NEXT, &[])?.get(0);
    ensure!(next > last, "{next} after {last}");
    client.execute(INSERT, &[])?;
    ensure!(node.unexpected_log_lines(&["No space left on device"])?.is_empty());
    node.stop()
}
