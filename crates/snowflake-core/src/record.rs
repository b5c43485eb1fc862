//! The lease as it stands in WAL and in a slot of its file.
//!
//! Here: bytes to record and back. Not here: the file (`slots.rs`), and who may write it (`lease.rs`).

use crate::{Epoch, Generator, Layout, Node, Section, Space, Tick};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Whose IDs, in which space, up to where.
///
/// As bytes: 60, numbers little-endian.
///
/// | offset | length | |
/// | ---: | ---: | --- |
/// | 0 | 8 | magic, `PGSNOWFL` |
/// | 8 | 4 | version of the format, 2 |
/// | 12 | 3 | widths of datacenter, machine and sequence, in bits |
/// | 15 | 1 | 0 |
/// | 16 | 8 | epoch, milliseconds since 1970 (signed) |
/// | 24 | 4 | datacenter |
/// | 28 | 4 | machine |
/// | 32 | 8 | end: the first tick that may not be returned |
/// | 40 | 8 | system identifier of the server, 0 if that is not known |
/// | 48 | 8 | serial number of the write |
/// | 56 | 4 | CRC-32C of the bytes before |
///
/// Version 1 had no system identifier and no serial number: 44 bytes, checksum at 40. It is read as if both were 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The space that the data of this server lives in.
    pub space: Space,
    /// The node that issued last.
    pub node: Node,
    /// The first tick that may not be returned; 0 if no ID was asked for yet.
    pub end: Tick,
    /// The database cluster that it was written in, by its system identifier.
    pub system: u64,
    /// How many records its server has written to the file, this one included.
    pub serial: u64,
}

/// Why bytes are not a record that can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RecordError {
    /// Not a lease file at all.
    #[error("it does not begin as a lease file does")]
    Foreign,
    /// Written by a later version of the extension.
    #[error("it has format version {0}, and this library knows versions 1 and {VERSION}")]
    Version(u32),
    /// Cut off, or followed by something else.
    #[error("it has {0} bytes, which no lease file has")]
    Length(usize),
    /// Damaged.
    #[error("its checksum does not match")]
    Checksum,
    /// Intact, but no such record was ever written.
    #[error("its {0} is out of range")]
    Value(&'static str),
}

const MAGIC: [u8; 8] = *b"PGSNOWFL";
const VERSION: u32 = 2;

impl Record {
    /// Length of a record, in bytes.
    pub const LEN: usize = 60;
    /// The same of version 1, which was a file by itself.
    pub const LEN_OF_VERSION_1: usize = 44;

    /// The record as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        // No width is above 24.
        let bits = |section| self.space.layout.bits(section) as u8;
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12] = bits(Section::Datacenter);
        bytes[13] = bits(Section::Machine);
        bytes[14] = bits(Section::Sequence);
        bytes[16..24].copy_from_slice(&self.space.epoch.unix_millis().to_le_bytes());
        bytes[24..28].copy_from_slice(&self.node.datacenter.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.node.machine.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.end.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.system.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.serial.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..56]);
        bytes[56..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads a record, of this version or of version 1.
    ///
    /// # Errors
    /// When the bytes are not exactly what a version of the library has written: nothing is guessed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        // A later version may be longer, so the version is looked at before the length.
        if !bytes.starts_with(&MAGIC[..bytes.len().min(8)]) {
            return Err(RecordError::Foreign);
        }
        let version = bytes.get(8..12).map(|version| u32::from_le_bytes(array(version)));
        let len = match version {
            Some(1) => Self::LEN_OF_VERSION_1,
            Some(VERSION) => Self::LEN,
            Some(other) => return Err(RecordError::Version(other)),
            None => return Err(RecordError::Length(bytes.len())),
        };
        if bytes.len() != len {
            return Err(RecordError::Length(bytes.len()));
        }
        let (intact, checksum) = bytes.split_at(len - 4);
        if crc32c::crc32c(intact) != u32::from_le_bytes(array(checksum)) {
            return Err(RecordError::Checksum);
        }
        Self::from_intact(intact)
    }

    /// The first moment that no ID of the lease is of, in milliseconds since 1970.
    #[must_use]
    pub fn end_unix_millis(&self) -> i64 {
        let generator = Generator::new(self.space, self.node);
        generator.map_or(0, |it| it.unix_millis(it.whole_millis(self.end)))
    }

    fn from_intact(bytes: &[u8]) -> Result<Self, RecordError> {
        let [datacenter, machine, sequence] = array(&bytes[12..15]).map(u32::from);
        let layout =
            Layout::new(datacenter, machine, sequence).map_err(|_| RecordError::Value("layout"))?;
        let epoch = Epoch::from_unix_millis(i64::from_le_bytes(array(&bytes[16..24])))
            .ok_or(RecordError::Value("epoch"))?;
        let node = Node {
            datacenter: u32::from_le_bytes(array(&bytes[24..28])),
            machine: u32::from_le_bytes(array(&bytes[28..32])),
        };
        layout.node_bits(node.datacenter, node.machine).map_err(|_| RecordError::Value("node"))?;
        // What version 1 has not is 0.
        let number =
            |at: usize| bytes.get(at..at + 8).map_or(0, |it| u64::from_le_bytes(array(it)));
        let space = Space { layout, epoch };
        let record = Self { space, node, end: number(32), system: number(40), serial: number(48) };
        if record.end > space.end() {
            return Err(RecordError::Value("end"));
        }
        if bytes[15] != 0 { Err(RecordError::Value("padding")) } else { Ok(record) }
    }
}

/// The first `N` bytes; the callers pass `N` or more.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    std::array::from_fn(|index| bytes[index])
}
