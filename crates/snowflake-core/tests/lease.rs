//! The lease record: what is written is read back, and nothing else is.
#![cfg(not(loom))]
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{parts, spaces};
use proptest::prelude::*;
use snowflake_core::{Lease, Node, Record, RecordError, Section, Space};

fn records() -> impl Strategy<Value = Record> {
    (spaces().prop_flat_map(|space| (Just(space), parts(space.layout))), 0..=1_u64).prop_map(
        |((space, parts), excess)| {
            let node = Node { datacenter: parts.datacenter, machine: parts.machine };
            let end = (parts.timestamp + excess) << space.layout.bits(Section::Sequence);
            Record { space, node, end, system: parts.timestamp, serial: excess }
        },
    )
}

fn record() -> Record {
    let node = Node { datacenter: 3, machine: 17 };
    let (system, serial) = (7_301_205_889_127_834_112, 42);
    Record { space: Space::default(), node, end: 382_345_007_950 << 12, system, serial }
}

/// The checksum of a changed record, so that only the values speak.
fn sealed(mut bytes: [u8; Record::LEN]) -> [u8; Record::LEN] {
    let checksum = crc32c::crc32c(&bytes[..56]);
    bytes[56..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(record in records()) {
        prop_assert_eq!(Record::from_bytes(&record.to_bytes()), Ok(record));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        prop_assert!(Record::from_bytes(&bytes).is_err());
    }

    #[test]
    fn sealed_nonsense_is_refused_or_reads_as_it_stands(record in records(), at in 12..56_usize, byte: u8) {
        let mut bytes = record.to_bytes();
        bytes[at] = byte;
        let bytes = sealed(bytes);
        if let Ok(read) = Record::from_bytes(&bytes) {
            prop_assert_eq!(read.to_bytes(), bytes);
        }
    }
}

#[test]
fn every_change_of_a_byte_is_refused() {
    let bytes = record().to_bytes();
    for at in 0..Record::LEN {
        for change in 1..=255 {
            let mut changed = bytes;
            changed[at] ^= change;
            assert!(Record::from_bytes(&changed).is_err(), "byte {at} ^ {change}");
        }
    }
}

#[test]
fn every_truncation_is_refused() {
    let bytes = record().to_bytes();
    for length in 0..Record::LEN {
        let error = Record::from_bytes(&bytes[..length]).unwrap_err();
        assert_eq!(error, RecordError::Length(length));
    }
}

#[test]
fn appended_bytes_are_refused() {
    let bytes = [record().to_bytes().as_slice(), &[0]].concat();
    assert_eq!(Record::from_bytes(&bytes), Err(RecordError::Length(61)));
}

#[test]
fn foreign_and_future_files_are_told_apart() {
    assert_eq!(Record::from_bytes(b"# comment"), Err(RecordError::Foreign));
    let mut bytes = record().to_bytes();
    bytes[8] = 3;
    assert_eq!(Record::from_bytes(&bytes), Err(RecordError::Version(3)));
    assert_eq!(Record::from_bytes(&bytes[..20]), Err(RecordError::Version(3)));
}

#[test]
fn version_1_is_read() {
    let mut bytes = record().to_bytes()[..Record::LEN_OF_VERSION_1].to_vec();
    bytes[8] = 1;
    let checksum = crc32c::crc32c(&bytes[..40]);
    bytes[40..].copy_from_slice(&checksum.to_le_bytes());
    let read = Record { system: 0, serial: 0, ..record() };
    assert_eq!(Record::from_bytes(&bytes), Ok(read));
    bytes[32] ^= 1;
    assert_eq!(Record::from_bytes(&bytes), Err(RecordError::Checksum));
}

#[test]
fn values_out_of_range_are_refused() {
    let with = |at: usize, byte: u8| {
        let mut bytes = record().to_bytes();
        bytes[at] = byte;
        Record::from_bytes(&sealed(bytes))
    };
    assert_eq!(with(12, 25), Err(RecordError::Value("layout")));
    assert_eq!(with(15, 1), Err(RecordError::Value("padding")));
    assert_eq!(with(23, 0x7f), Err(RecordError::Value("epoch")));
    assert_eq!(with(28, 32), Err(RecordError::Value("node")));
    assert_eq!(with(39, 0xff), Err(RecordError::Value("end")));
}

#[test]
fn a_lease_only_grows() {
    let lease = Lease::default();
    assert_eq!(lease.end(), 0);
    lease.extend(10);
    lease.extend(7);
    assert_eq!(lease.end(), 10);
}
