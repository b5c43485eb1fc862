#![no_main]

use libfuzzer_sys::fuzz_target;
use snowflake_core::{Epoch, Record, RecordError};

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    // No fuzzer guesses a checksum, and all that comes behind it would stay in the dark.
    check(&sealed(bytes));
});

/// What is read has to be written the same, and what is refused has to have a reason for it.
fn check(bytes: &[u8]) {
    match Record::from_bytes(bytes) {
        Ok(record) => {
            if number(&bytes[8..12]) == 1 {
                assert_eq!((record.system, record.serial), (0, 0));
                assert_eq!(record.to_bytes()[12..40], bytes[12..40]);
            } else {
                assert_eq!(record.to_bytes(), bytes);
            }
            assert_eq!(reason_to_refuse(bytes), None);
        }
        Err(error) => assert_eq!(reason_to_refuse(bytes), Some(error)),
    }
}

/// The first thing that is wrong, by the table at [`Record`].
fn reason_to_refuse(bytes: &[u8]) -> Option<RecordError> {
    if bytes.iter().zip(b"PGSNOWFL").any(|(a, b)| a != b) {
        return Some(RecordError::Foreign);
    }
    let version = bytes.get(8..12).map(number);
    let len = match version {
        Some(1) => Record::LEN_OF_VERSION_1,
        Some(2) => Record::LEN,
        Some(other) => return Some(RecordError::Version(other as u32)),
        None => return Some(RecordError::Length(bytes.len())),
    };
    if bytes.len() != len {
        return Some(RecordError::Length(bytes.len()));
    }
    if bytes != sealed(bytes) {
        return Some(RecordError::Checksum);
    }
    wrong_value(bytes).map(RecordError::Value)
}

fn wrong_value(record: &[u8]) -> Option<&'static str> {
    let [datacenter, machine, sequence] = [12, 13, 14].map(|offset| u32::from(record[offset]));
    if datacenter + machine + sequence > 24 {
        return Some("layout");
    }
    if Epoch::from_unix_millis(number(&record[16..24]).cast_signed()).is_none() {
        return Some("epoch");
    }
    if number(&record[24..28]) >> datacenter != 0 || number(&record[28..32]) >> machine != 0 {
        return Some("node");
    }
    if number(&record[32..40]) > 1 << (63 - datacenter - machine) {
        return Some("end");
    }
    (record[15] != 0).then_some("padding")
}

/// A little-endian number.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |high, &byte| high << 8 | u64::from(byte))
}

/// The same with the checksum that it should have in its last four bytes.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(at) = bytes.len().checked_sub(4) {
        let checksum = crc32c::crc32c(&bytes[..at]);
        bytes[at..].copy_from_slice(&checksum.to_le_bytes());
    }
    bytes
}
