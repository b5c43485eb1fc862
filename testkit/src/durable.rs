//! What of the lease file would survive a power cut, told from the shim's records.
//!
//! A disk promises little: the content of a file is safe once the file was fsynced, its name once
//! the directory was. Everything else may be lost or, worse, may have been written already, and what was being
//! overwritten may be neither the old nor the new. So for every moment there are several files that the server may
//! find after a power cut ([`Loss`]), and an ID may be returned only when all of them cover it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
    ops::Range,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::{
    ledger::{Ledger, stamp},
    node::Node,
};

/// The lease file's name in the data directory.
pub const LEASE: &str = "pg_snowflake.lease";

/// What the server says when it finds that a half of the file is not what was written.
pub const HALF_DAMAGED: &str =
    "WARNING:  one half of file \"pg_snowflake.lease\" in the data directory is damaged";

/// Half of the file.
const SLOT: usize = 4_096;

/// What a power cut takes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Everything that was not synced.
    Everything,
    /// The contents that were not synced, and what they were to overwrite; names were written ahead of time.
    Contents,
}

impl Loss {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Everything, Self::Contents];
}

/// Names and contents of files.
type Files = BTreeMap<String, Vec<u8>>;

/// The lease files of one server, of which some content and some names are durable.
#[derive(Debug, Clone, Default)]
struct Disk {
    /// By number.
    contents: Vec<Content>,
    /// The number of the file that has this name, for running processes and after a power cut.
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
}

/// The content of a file as it was last synced, and the places that were overwritten since.
#[derive(Debug, Clone, Default)]
struct Content {
    synced: Vec<u8>,
    overwritten: Vec<Range<usize>>,
}

impl Content {
    fn after_cut(&self, loss: Loss) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        if loss == Loss::Contents {
            for place in &self.overwritten {
                if let Some(lost) = bytes.get_mut(place.clone()) {
                    lost.fill(0xaa);
                }
            }
        }
        bytes
    }
}

impl Disk {
    fn apply(&mut self, event: &Event) {
        match event {
            Event::Create(name) => drop(self.create(name)),
            Event::Write(name) => {
                let file = self.file(name);
                self.contents[file] = Content::default();
            }
            Event::Overwrite(name, place) => {
                let file = self.file(name);
                self.contents[file].overwritten.push(place.clone());
            }
            Event::Fsync(name, content) => {
                let file = self.file(name);
                let (synced, overwritten) = (content.clone(), Vec::new());
                self.contents[file] = Content { synced, overwritten };
            }
            Event::Rename(from, to) => {
                let file = self.file(from);
                self.names.remove(from);
                self.names.insert(to.clone(), file);
            }
            Event::FsyncDirectory => self.durable_names = self.names.clone(),
            Event::Cut => *self = Self::default(),
        }
    }

    fn create(&mut self, name: &str) -> usize {
        // A new number even where the old file was truncated: its old content is gone as well.
        self.contents.push(Content::default());
        self.names.insert(name.to_owned(), self.contents.len() - 1);
        self.contents.len() - 1
    }

    fn file(&mut self, name: &str) -> usize {
        self.names.get(name).copied().unwrap_or_else(|| self.create(name))
    }

    fn after_cut(&self, loss: Loss) -> Files {
        let names = match loss {
            Loss::Everything => &self.durable_names,
            Loss::Contents => &self.names,
        };
        let content = |file: usize| self.contents[file].after_cut(loss);
        names.iter().map(|(name, &file)| (name.clone(), content(file))).collect()
    }

    /// The first tick that some power cut would let the server return again.
    fn safe_end(&self) -> u64 {
        let end =
            |loss| self.after_cut(loss).get(LEASE).and_then(|it| Lease::read(it)).map(|it| it.end);
        Loss::ALL.iter().map(|&loss| end(loss).unwrap_or(0)).min().unwrap_or(0)
    }

    fn lease(&self) -> Option<Lease> {
        Lease::read(self.after_cut(Loss::Everything).get(LEASE)?)
    }
}

/// The parts of the record that matter here. Read by offsets of its own, so that an error in the
/// extension's arithmetic does not hide itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lease {
    node_bits: u8,
    sequence_bits: u8,
    /// The first tick that is not covered.
    end: u64,
}

impl Lease {
    /// Of the newer one of two slots; none if neither is of the version that this knows.
    fn read(bytes: &[u8]) -> Option<Self> {
        let slots = [0, SLOT].map(|start| Self::read_slot(bytes.get(start..start + SLOT)?));
        slots.into_iter().flatten().max_by_key(|&(serial, _)| serial).map(|(_, lease)| lease)
    }

    fn read_slot(bytes: &[u8]) -> Option<(u64, Self)> {
        let widths = bytes.strip_prefix(b"PGSNOWFL\x02\0\0\0")?;
        let number = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        let (end, serial) = (number(32)?, number(48)?);
        let (node_bits, sequence_bits) = (widths[0] + widths[1], widths[2]);
        Some((serial, Self { node_bits, sequence_bits, end }))
    }

    /// An ID without its node: the number that the lease is about.
    fn tick(&self, id: i64) -> u64 {
        let id = id.cast_unsigned();
        let sequence = id & ((1 << self.sequence_bits) - 1);
        id >> (self.node_bits + self.sequence_bits) << self.sequence_bits | sequence
    }
}

/// One line of the shim's records, without its time.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Event {
    Create(String),
    Write(String),
    Overwrite(String, Range<usize>),
    Fsync(String, Vec<u8>),
    Rename(String, String),
    FsyncDirectory,
    /// Written by [`Node::power_cut`]; what it left follows.
    Cut,
}

impl Event {
    fn parse(words: &[&str]) -> Option<Self> {
        Some(match *words {
            ["create", name] => Self::Create(name.into()),
            ["write", name] => Self::Write(name.into()),
            ["overwrite", name, offset, length] => {
                let (offset, length): (usize, usize) = (offset.parse().ok()?, length.parse().ok()?);
                Self::Overwrite(name.into(), offset..offset + length)
            }
            ["fsync", "."] => Self::FsyncDirectory,
            ["fsync", name, content] => Self::Fsync(name.into(), from_hex(content)?),
            ["rename", from, to] => Self::Rename(from.into(), to.into()),
            ["cut"] => Self::Cut,
            _ => return None,
        })
    }
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    if digits == "-" {
        return Some(Vec::new());
    }
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.as_bytes().chunks(2).map(byte).collect()
}

fn to_hex(bytes: &[u8]) -> String {
    match bytes {
        [] => "-".to_owned(),
        bytes => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// All that has happened to the lease file of one server.
#[derive(Debug)]
pub struct History {
    /// With the time on the clock that [`stamp`] reads.
    events: Vec<(u64, Event)>,
}

impl History {
    fn parse(text: &str) -> Result<Self> {
        let event = |line: &str| {
            let (at, words) = line.split_once(' ')?;
            let words: Vec<_> = words.split(' ').collect();
            Some((at.parse().ok()?, Event::parse(&words)?))
        };
        let events =
            text.lines().map(|line| event(line).with_context(|| format!("record {line:?}")));
        Ok(Self { events: events.collect::<Result<_>>()? })
    }

    fn disk(&self) -> Disk {
        let mut disk = Disk::default();
        for (_, event) in &self.events {
            disk.apply(event);
        }
        disk
    }

    /// How often the file has been replaced.
    #[must_use]
    pub fn renewals(&self) -> usize {
        self.events.iter().filter(|(_, event)| matches!(event, Event::Rename(..))).count()
    }

    /// How many fsyncs of the file were under way at once, at most, of those that took at least `each`. All that
    /// returned between the two [`stamp`]s have to be such.
    #[must_use]
    pub fn syncs_at_once(&self, between: &Range<u64>, each: Duration) -> usize {
        let each = u64::try_from(each.as_nanos()).unwrap_or(u64::MAX);
        let synced = |event: &Event| matches!(event, Event::Fsync(name, _) if name == LEASE);
        let syncs = self.events.iter().filter(|(at, event)| between.contains(at) && synced(event));
        let ends: Vec<_> = syncs.map(|&(at, _)| at).collect();
        let at = |end: u64| ends.iter().filter(|&&it| it <= end && it + each > end).count();
        ends.iter().map(|&end| at(end)).max().unwrap_or(0)
    }

    /// Looks for an ID that a power cut at the moment of its return would have let the server return
    /// again.
    pub fn check(&self, ledger: &Ledger) -> Result<()> {
        let mut replies: Vec<_> = ledger.replies().collect();
        replies.sort_unstable();
        let mut disk = Disk::default();
        let (mut end, mut lease) = (0, None);
        let mut events = self.events.iter().peekable();
        for (returned_at, id) in replies {
            while let Some((_, event)) = events.next_if(|(at, _)| *at <= returned_at) {
                disk.apply(event);
                end = disk.safe_end();
                lease = disk.lease().or(lease);
            }
            let tick =
                lease.with_context(|| format!("{id} was returned before any lease was"))?.tick(id);
            if tick >= end {
                bail!("{id} was returned when only ticks below {end} were safe, and it is {tick}");
            }
        }
        Ok(())
    }
}

impl Node {
    /// What has happened to the lease file so far. The node has to be made with faults.
    pub fn history(&self) -> Result<History> {
        let records = &self.faults()?.records;
        History::parse(&fs::read_to_string(records).context("reading the shim's records")?)
    }

    /// SIGKILL to every process; then the lease file is as it would be had the power failed. All
    /// other files are as the processes left them.
    pub fn power_cut(&mut self, loss: Loss) -> Result<()> {
        self.kill9_all()?;
        let left = self.history()?.disk().after_cut(loss);
        self.replace_lease_files(&left).context("putting back what the power cut left")?;
        let mut records = File::options().append(true).open(&self.faults()?.records)?;
        let mut note = |what: String| writeln!(records, "{} {what}", stamp());
        note("cut".to_owned())?;
        for (name, content) in &left {
            note(format!("fsync {name} {}", to_hex(content)))?;
        }
        Ok(note("fsync .".to_owned())?)
    }

    fn replace_lease_files(&self, files: &Files) -> Result<()> {
        for entry in fs::read_dir(self.data())? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(LEASE) {
                fs::remove_file(entry.path())?;
            }
        }
        let owner = fs::metadata(self.data())?;
        for (name, content) in files {
            let path = self.data().join(name);
            fs::write(&path, content)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            chown(&path, Some(owner.uid()), Some(owner.gid()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of which one slot ends at `end`, of the default layout.
    fn file(end: u64) -> Vec<u8> {
        let mut bytes = vec![0; 2 * SLOT];
        let slot = end as usize % 2 * SLOT;
        bytes[slot..slot + 16].copy_from_slice(b"PGSNOWFL\x02\0\0\0\x05\x05\x0c\0");
        bytes[slot + 32..slot + 40].copy_from_slice(&end.to_le_bytes());
        bytes[slot + 48..slot + 56].copy_from_slice(&end.to_le_bytes());
        bytes
    }

    /// The same with another one in the other slot.
    fn both(one: u64, other: u64) -> Vec<u8> {
        file(one).iter().zip(file(other)).map(|(a, b)| a | b).collect()
    }

    fn disk(events: &[&str]) -> Disk {
        let text = events.iter().map(|event| {
            let event = event.replace("TMP", "pg_snowflake.lease.tmp").replace("LEASE", LEASE);
            let event = event.replace("OLD", &to_hex(&file(1))).replace("NEW", &to_hex(&file(2)));
            let event = event.replace("BOTH", &to_hex(&both(1, 2)));
            format!("0 {event}\n")
        });
        History::parse(&text.collect::<String>()).unwrap().disk()
    }

    const BEFORE: [&str; 2] = ["fsync LEASE OLD", "fsync ."];

    fn ends(events: &[&str]) -> [Option<u64>; 2] {
        let disk = disk(&[&BEFORE, events].concat());
        Loss::ALL.map(|loss| Some(Lease::read(disk.after_cut(loss).get(LEASE)?)?.end))
    }

    #[test]
    fn every_step_leaves_the_old_record_or_the_new_one() {
        let steps = ["create TMP", "write TMP", "fsync TMP NEW", "rename TMP LEASE", "fsync ."];
        for done in 0..=steps.len() {
            let new = Some(2);
            let old = Some(1);
            let expected = match done {
                0..4 => [old, old],
                4 => [old, new],
                _ => [new, new],
            };
            assert_eq!(ends(&steps[..done]), expected, "after {done} steps");
        }
    }

    #[test]
    fn a_slot_that_is_overwritten_leaves_the_other() {
        let steps = ["overwrite LEASE 0 60", "fsync LEASE BOTH"];
        assert_eq!(ends(&steps[..1]), [Some(1), Some(1)]);
        assert_eq!(ends(&steps), [Some(2), Some(2)]);
        // The slot of the lease that is in force.
        assert_eq!(ends(&["overwrite LEASE 4096 60"]), [Some(1), None]);
    }

    #[test]
    fn without_a_sync_of_the_file_its_content_may_be_lost() {
        let steps = ["create TMP", "write TMP", "rename TMP LEASE"];
        assert_eq!(ends(&steps), [Some(1), None]);
        assert_eq!(ends(&[&steps[..], &["fsync ."]].concat()), [None, None]);
        let late = ["create TMP", "fsync TMP NEW", "write TMP", "rename TMP LEASE", "fsync ."];
        assert_eq!(ends(&late), [None, None]);
    }

    #[test]
    fn an_end_is_safe_when_no_cut_loses_it() {
        assert_eq!(disk(&[]).safe_end(), 0);
        assert_eq!(disk(&BEFORE).safe_end(), 1);
        let replaced = ["fsync LEASE OLD", "fsync .", "fsync TMP NEW", "rename TMP LEASE"];
        assert_eq!(disk(&replaced).safe_end(), 1);
        assert_eq!(disk(&[&replaced[..], &["fsync ."]].concat()).safe_end(), 2);
        assert_eq!(disk(&[&replaced[..], &["cut"]].concat()).safe_end(), 0);
    }

    #[test]
    fn syncs_that_overlap_are_counted() {
        let syncs = |times: &[u64]| {
            let lines = times.iter().map(|at| format!("{at} fsync {LEASE} -\n"));
            let history = History::parse(&lines.collect::<String>()).unwrap();
            history.syncs_at_once(&(10..100), Duration::from_nanos(10))
        };
        assert_eq!(syncs(&[]), 0);
        // The first is not among those that took long.
        assert_eq!(syncs(&[9, 12, 22, 40]), 1);
        assert_eq!(syncs(&[12, 30, 39, 49]), 2);
        assert_eq!(syncs(&[30, 31, 39]), 3);
    }

    #[test]
    fn a_tick_is_the_id_without_its_node() {
        let lease = Lease::read(&file(7)).unwrap();
        assert_eq!(lease.tick(5 << 22 | 33 << 12 | 9), 5 << 12 | 9);
        assert_eq!(Lease::read(&file(7)[..43]), None);
        assert_eq!(Lease::read(b""), None);
    }
}
