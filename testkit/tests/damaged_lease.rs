//! A lease file that is not what the server wrote: it may not say which IDs were issued, so nothing
//! is issued, the file stays as evidence, and the server runs.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use postgres::Client;
use snowflake_testkit::{
    Node, Outage, Refusal,
    durable::{HALF_DAMAGED, LEASE},
    refusal,
};

const DATA_CORRUPTED: &str = "XX001";
const NEXT: &str = "SELECT snowflake_nextval()";
const DECODE: &str = "SELECT snowflake_decode(1)::text";
const IDS: usize = 100;

/// A server that has issued IDs, its last lease, and the largest ID.
struct Victim {
    node: Node,
    path: PathBuf,
    good: Vec<u8>,
    newest: i64,
}

impl Victim {
    /// Brings the server down in a way, and up again. It has no keeper, which might write while a test
    /// replaces the file.
    fn after(outage: Outage) -> Result<Self> {
        let mut node = Node::builder("damaged").set("max_worker_processes", "0").start()?;
        let mut client = node.connect("postgres")?;
        client.batch_execute("CREATE EXTENSION pg_snowflake")?;
        let mut newest = 0;
        for _ in 0..IDS {
            newest = client.query_one(NEXT, &[])?.get(0);
        }
        drop(client);
        let path = node.data().join(LEASE);
        outage.strike(&mut node, |_| {
            ensure!(fs::metadata(&path)?.mode() & 0o7777 == 0o600, "it is for the server alone");
            Ok(())
        })?;
        // As it is once recovery has kept what it has replayed.
        let good = fs::read(&path)?;
        Ok(Self { node, path, good, newest })
    }

    /// Puts something else in place of the lease.
    fn replace(&self, make: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<()> {
        fs::remove_file(&self.path)?;
        make(&self.path)?;
        let owner = fs::metadata(self.node.data())?;
        Ok(chown(&self.path, Some(owner.uid()), Some(owner.gid()))?)
    }

    /// Puts the good file back.
    fn restore(&self) -> Result<()> {
        self.replace(|path| fs::write(path, &self.good))?;
        Ok(fs::set_permissions(&self.path, Permissions::from_mode(0o600))?)
    }

    /// Bytes that are no lease are refused as such, and left alone.
    fn assert_refused(&self, bytes: &[u8], why: &str) -> Result<()> {
        self.replace(|path| fs::write(path, bytes))?;
        for refusal in self.refusals()? {
            ensure!(refusal.code == DATA_CORRUPTED, "{refusal:?}");
            ensure!(refusal.detail.contains(why), "{why}: {refusal:?}");
        }
        self.assert_untouched(bytes)
    }

    /// What a new session is told when it asks for an ID, and for the parts of one.
    fn refusals(&self) -> Result<[Refusal; 2]> {
        let mut client = self.node.connect("postgres")?;
        let refusals = [refusal(client.query(NEXT, &[]))?, refusal(client.query(DECODE, &[]))?];
        for refusal in &refusals {
            let complete = !refusal.detail.is_empty() && !refusal.hint.is_empty();
            ensure!(complete && refusal.message.contains(LEASE), "{refusal:?}");
        }
        client.query_one("SELECT 1", &[]).context("the session is as good as new")?;
        Ok(refusals)
    }

    fn assert_untouched(&self, bytes: &[u8]) -> Result<()> {
        ensure!(fs::read(&self.path)? == bytes, "the file has changed");
        ensure!(!self.path.with_extension("lease.tmp").exists(), "a new file was begun");
        Ok(())
    }

    /// With the good file back in place, all is well, and no ID comes back.
    fn assert_recovers(mut self) -> Result<()> {
        self.restore()?;
        let mut client = self.node.connect("postgres")?;
        client.query_one(DECODE, &[])?;
        assert!(next(&mut client)? > self.newest);
        drop(client);
        let damaged = format!("\"{LEASE}\"");
        let allowed = [&[damaged.as_str()], &Outage::LOG[..]].concat();
        assert_eq!(self.node.unexpected_log_lines(&allowed)?, [""; 0]);
        self.node.restart()?;
        assert!(next(&mut self.node.connect("postgres")?)? > self.newest);
        Ok(())
    }
}

fn next(client: &mut Client) -> Result<i64> {
    Ok(client.query_one(NEXT, &[])?.get(0))
}

/// Half of the file, which has room for one record.
const SLOT: usize = 4_096;
const RECORD: usize = 60;

#[test]
fn every_byte_that_is_damaged_in_both_slots_is_refused() -> Result<()> {
    let victim = Victim::after(Outage::ImmediateStop)?;
    for i in 0..RECORD {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = victim.good.clone();
            bytes[i] ^= flip;
            bytes[SLOT + i] ^= flip;
            let why = match i {
                0..8 => "begin",
                8..12 => "version",
                _ => "checksum",
            };
            victim.assert_refused(&bytes, why).with_context(|| format!("byte {i}, {flip:#x}"))?;
        }
    }
    victim.assert_recovers()
}

/// As a power cut in the middle of a write leaves it; or a disk that forgets, so it is said.
#[test]
fn a_slot_that_is_torn_leaves_the_other() -> Result<()> {
    for outage in [Outage::CleanRestart, Outage::ImmediateStop] {
        for slot in [0, SLOT] {
            torn(outage, slot).with_context(|| format!("{outage}, slot at {slot}"))?;
        }
    }
    Ok(())
}

fn torn(outage: Outage, slot: usize) -> Result<()> {
    let Victim { mut node, path, .. } = Victim::after(Outage::CleanRestart)?;
    let mut last = 0;
    let mut go_on = |node: &Node| -> Result<()> {
        let id = next(&mut node.connect("postgres")?)?;
        ensure!(id > last, "{id} after {last}");
        last = id;
        Ok(())
    };
    go_on(&node)?;
    outage.strike(&mut node, |_| {
        let mut bytes = fs::read(&path)?;
        bytes[slot + RECORD / 2..slot + RECORD].fill(0);
        Ok(fs::write(&path, &bytes)?)
    })?;
    go_on(&node)?;
    node.restart()?;
    go_on(&node)?;
    let said = node.log()?.matches(HALF_DAMAGED).count();
    ensure!(said == 1, "said {said} times");
    Ok(())
}

#[test]
fn every_truncated_file_is_refused() -> Result<()> {
    let victim = Victim::after(Outage::CleanRestart)?;
    for length in
        [0, 1, 7, 8, 11, 12, 43, 44, 45, 59, 60, 61, SLOT - 1, SLOT, SLOT + 60, 2 * SLOT - 1]
    {
        let bytes = &victim.good[..length];
        victim.assert_refused(bytes, "bytes").with_context(|| format!("{length} bytes"))?;
    }
    let longer = [&victim.good[..], b"\0"].concat();
    victim.assert_refused(&longer, "bytes")?;
    victim.assert_recovers()
}

#[test]
fn a_file_of_somebody_else_or_of_a_later_version_is_refused() -> Result<()> {
    let victim = Victim::after(Outage::CleanRestart)?;
    victim.assert_refused(b"Dear operator, I am not a lease.\n", "begin")?;
    victim.assert_refused(&[0; 44], "begin")?;
    victim.assert_refused(&vec![b'x'; 1_000_000], "begin")?;
    let later = [b"PGSNOWFL\x03\0\0\0", &[7; 88][..]].concat();
    victim.assert_refused(&later, "version 3")?;
    // It is as good as ever, and not to be removed.
    for refusal in victim.refusals()? {
        ensure!(refusal.hint.starts_with("Install the version"), "{refusal:?}");
    }
    victim.assert_recovers()
}

#[test]
fn a_file_that_cannot_be_read_is_refused() -> Result<()> {
    let victim = Victim::after(Outage::ImmediateStop)?;
    fs::set_permissions(&victim.path, Permissions::from_mode(0o000))?;
    for refusal in victim.refusals()? {
        assert!(refusal.message.contains("Permission denied"), "{refusal:?}");
    }
    fs::set_permissions(&victim.path, Permissions::from_mode(0o600))?;
    victim.assert_untouched(&victim.good)?;
    victim.replace(|path| fs::create_dir(path))?;
    for refusal in victim.refusals()? {
        assert!(refusal.message.contains("Is a directory"), "{refusal:?}");
    }
    fs::remove_dir(&victim.path)?;
    fs::write(&victim.path, "")?;
    victim.assert_recovers()
}

#[test]
fn a_server_starts_and_stops_with_a_damaged_file() -> Result<()> {
    let mut victim = Victim::after(Outage::CleanRestart)?;
    let damaged = &victim.good.clone()[1..];
    for outage in [Outage::CleanRestart, Outage::ImmediateStop, Outage::KilledServer] {
        victim.assert_refused(damaged, "begin")?;
        outage.strike(&mut victim.node, |_| Ok(()))?;
        victim.assert_refused(damaged, "begin")?;
    }
    victim.node.stop()?;
    victim.assert_untouched(damaged)?;
    victim.node.start()?;
    victim.assert_recovers()
}

#[test]
fn a_pipe_or_a_link_to_nowhere_is_refused_at_once() -> Result<()> {
    let victim = Victim::after(Outage::KilledServer)?;
    victim.replace(|path| Ok(nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU)?))?;
    for refusal in victim.refusals()? {
        ensure!(refusal.code == DATA_CORRUPTED, "{refusal:?}");
    }
    fs::remove_file(&victim.path)?;
    std::os::unix::fs::symlink("nowhere", &victim.path)?;
    for refusal in victim.refusals()? {
        ensure!(refusal.message.starts_with("could not open file"), "{refusal:?}");
    }
    ensure!(fs::symlink_metadata(&victim.path)?.is_symlink(), "it is left alone");
    fs::remove_file(&victim.path)?;
    fs::write(&victim.path, &victim.good)?;
    victim.restore()?;
    let newest: i64 = victim.node.connect("postgres")?.query_one(NEXT, &[])?.get(0);
    ensure!(newest > victim.newest);
    Ok(())
}

#[test]
fn a_lease_that_was_removed_from_a_running_server_is_written_at_its_end() -> Result<()> {
    let mut node = Node::builder("removed").with_clock().start()?;
    node.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    let before: i64 = node.connect("postgres")?.query_one(NEXT, &[])?.get(0);
    fs::remove_file(node.data().join(LEASE))?;
    node.clock()?.step(-3_600_000_000_000);
    node.restart()?;
    let after: i64 = node.connect("postgres")?.query_one(NEXT, &[])?.get(0);
    ensure!(after > before, "{after} after {before}");
    Ok(())
}

/// Load has the ID clock ahead, the lease is lost, and the operator does as the HINT says.
#[test]
fn who_follows_the_hint_for_a_damaged_lease_repeats_nothing() -> Result<()> {
    const MAX_DRIFT: i64 = 20_000_000_000;
    let mut node =
        Node::builder("hint").with_clock().set("pg_snowflake.max_drift", "20s").start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute("CREATE EXTENSION pg_snowflake")?;
    let mut newest: i64 = 0;
    for _ in 0..6 {
        let batch = "SELECT max(id) FROM snowflake_nextval_batch(10000000) AS id";
        newest = client.query_one(batch, &[])?.get(0);
    }
    drop(client);
    node.crash()?;
    let lease = node.data().join(LEASE);
    fs::write(&lease, b"not a lease")?;
    node.start()?;
    let refusal = refusal(node.connect_when_ready("postgres")?.query(NEXT, &[]))?;
    ensure!(refusal.hint.contains("longer than \"pg_snowflake.max_drift\""), "{refusal:?}");
    node.stop()?;
    // Time goes by.
    node.clock()?.step(MAX_DRIFT + 1_000_000);
    fs::remove_file(&lease)?;
    node.start()?;
    let after: i64 = node.connect("postgres")?.query_one(NEXT, &[])?.get(0);
    ensure!(after > newest, "{after} after {newest}");
    Ok(())
}
