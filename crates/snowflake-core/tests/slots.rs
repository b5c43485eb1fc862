//! The lease file: two slots, of which one always holds what is in force.
#![cfg(not(loom))]
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::host::OneProcess;
use proptest::prelude::*;
use snowflake_core::{
    Epoch, Event, FILE_LEN, Layout, Node, Obstacle, Record, RecordError, Space, State, Step,
    create_lease, read_lease,
};
use std::cell::RefCell;

fn space(sequence_bits: u32) -> Space {
    Space { layout: Layout::new(5, 5, sequence_bits).unwrap(), epoch: Epoch::default() }
}

fn record(end: u64) -> Record {
    Record { space: space(12), node: Node { datacenter: 1, machine: 2 }, end, system: 7, serial: 0 }
}

fn end(disk: &OneProcess) -> u64 {
    read_lease(disk).unwrap().unwrap().end
}

/// Writes through what a standby keeps: the shortest way in from outside.
fn write(state: &State, disk: &OneProcess, end: u64) -> Result<(), Obstacle> {
    state.note_replayed(disk, &record(end));
    state.keep_replayed(disk)
}

fn millis(n: u64) -> u64 {
    (100_000_000_000 + n) << 12
}

#[test]
fn a_new_file_has_one_record_and_room_for_another() {
    let (disk, state) = (OneProcess::default(), State::default());
    create_lease(&state, &disk, space(12)).unwrap();
    assert_eq!(disk.file().len(), FILE_LEN);
    let made = read_lease(&disk).unwrap().unwrap();
    assert_eq!((made.end, made.system, made.serial), (0, 7, 1));
    // Another one is not made.
    write(&state, &disk, millis(1)).unwrap();
    create_lease(&state, &disk, space(12)).unwrap();
    assert_eq!(end(&disk), millis(1));
}

#[test]
fn what_was_replayed_is_kept_as_it_came() {
    let other = Space { epoch: Epoch::from_unix_millis(-5).unwrap(), ..space(3) };
    let node = Node { datacenter: 31, machine: 30 };
    let came = Record { space: other, node, end: 12_345, system: u64::MAX, serial: 99 };
    let (disk, state) = (OneProcess::default(), State::default());
    state.note_replayed(&disk, &came);
    state.keep_replayed(&disk).unwrap();
    assert_eq!(read_lease(&disk), Ok(Some(Record { serial: 1, ..came })));
}

#[test]
fn a_file_of_version_1_is_replaced() {
    let mut old = record(millis(1)).to_bytes()[..Record::LEN_OF_VERSION_1].to_vec();
    old[8] = 1;
    let checksum = crc32c::crc32c(&old[..40]);
    old[40..].copy_from_slice(&checksum.to_le_bytes());
    let disk = OneProcess { file: RefCell::new(Some(old)), ..OneProcess::default() };
    assert_eq!(end(&disk), millis(1));
    write(&State::default(), &disk, millis(2)).unwrap();
    assert_eq!((disk.file().len(), end(&disk)), (FILE_LEN, millis(2)));
}

#[test]
fn a_file_that_was_removed_is_made_anew() {
    let (disk, state) = (OneProcess::default(), State::default());
    write(&state, &disk, millis(1)).unwrap();
    *disk.file.borrow_mut() = None;
    write(&state, &disk, millis(2)).unwrap();
    assert_eq!(end(&disk), millis(2));
}

#[test]
fn nothing_that_a_later_version_has_written_is_overwritten() {
    let (disk, state) = (OneProcess::default(), State::default());
    write(&state, &disk, millis(1)).unwrap();
    write(&state, &disk, millis(2)).unwrap();
    for slot in [0, FILE_LEN / 2] {
        let mut file = disk.file();
        file[slot + 8] = 3;
        let disk = OneProcess { file: RefCell::new(Some(file.clone())), ..OneProcess::default() };
        let refusal = Err(RecordError::Version(3).into());
        assert_eq!(write(&State::default(), &disk, millis(9)), refusal);
        assert_eq!(disk.file(), file);
    }
}

#[test]
fn a_file_without_an_intact_slot_is_damaged() {
    let (disk, state) = (OneProcess::default(), State::default());
    write(&state, &disk, millis(1)).unwrap();
    write(&state, &disk, millis(2)).unwrap();
    let mut file = disk.file();
    file[40] ^= 1;
    let one = OneProcess { file: RefCell::new(Some(file.clone())), ..OneProcess::default() };
    assert!(read_lease(&one).is_ok());
    file[FILE_LEN / 2 + 40] ^= 1;
    let none = OneProcess { file: RefCell::new(Some(file)), ..OneProcess::default() };
    assert_eq!(read_lease(&none), Err(RecordError::Checksum.into()));
    let cut = OneProcess {
        file: RefCell::new(Some(one.file()[..Record::LEN].to_vec())),
        ..OneProcess::default()
    };
    assert!(read_lease(&cut).is_err());
    let empty = OneProcess { file: RefCell::new(Some(vec![0; FILE_LEN])), ..OneProcess::default() };
    assert_eq!(read_lease(&empty), Err(RecordError::Foreign.into()));
}

#[test]
fn a_damaged_slot_is_said_once_and_an_empty_one_is_not() {
    let (disk, state) = (OneProcess::default(), State::default());
    write(&state, &disk, millis(1)).unwrap();
    write(&State::default(), &disk, millis(2)).unwrap();
    assert_eq!(*disk.events.borrow(), []);
    let damages: [fn(&mut [u8]); 2] = [|slot| slot[40] ^= 1, |slot| slot.fill(0)];
    for (number, damage) in damages.into_iter().chain(damages).enumerate() {
        let mut file = disk.file();
        damage(file.chunks_mut(FILE_LEN / 2).nth(number / 2).unwrap());
        disk.file.replace(Some(file));
        let state = State::default();
        // It is written over only once the good one is known to be durable.
        *disk.fails.borrow_mut() = Some(Step::Sync);
        write(&state, &disk, millis(3)).unwrap_err();
        assert_eq!(*disk.events.borrow(), []);
        *disk.fails.borrow_mut() = None;
        write(&state, &disk, millis(4)).unwrap();
        write(&state, &disk, millis(5)).unwrap();
        assert_eq!(disk.events.take(), [Event::SlotDamaged]);
    }
}

proptest! {
    /// Whatever fails, and however often a new life begins: what was written is there, or what came after it.
    #[test]
    fn what_was_written_is_never_lost(
        steps in prop::collection::vec((0..6_u8, any::<bool>()), 1..40),
    ) {
        let disk = OneProcess::default();
        let mut state = State::default();
        let mut written = 0;
        for (number, (fault, restarts)) in (1..).zip(steps) {
            if restarts {
                state = State::default();
            }
            *disk.fails.borrow_mut() = [Step::Create, Step::SyncDirectory, Step::Write, Step::Sync]
                .get(usize::from(fault)).copied();
            if write(&state, &disk, millis(number)).is_ok() {
                written = millis(number);
            }
            let found = read_lease(&disk).unwrap().map_or(0, |record| record.end);
            prop_assert!(found >= written, "{found} after {written} was written");
        }
    }
}
