//! The lease as it stands on disk and in WAL.
//!
//! Here: bytes to record and back. Not here: files, and who may write them (`lease.rs`).

use crate::{Epoch, Generator, Layout, Node, Section, Space, Tick};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What stands in the lease file: whose IDs, in which space, up to where.
///
/// On disk: 44 bytes, numbers little-endian.
///
/// | offset | length | |
/// | ---: | ---: | --- |
/// | 0 | 8 | magic, `PGSNOWFL` |
/// | 8 | 4 | version of the format, 1 |
/// | 12 | 3 | widths of datacenter, machine and sequence, in bits |
/// | 15 | 1 | 0 |
/// | 16 | 8 | epoch, milliseconds since 1970 (signed) |
/// | 24 | 4 | datacenter |
/// | 28 | 4 | machine |
/// | 32 | 8 | end: the first tick that may not be returned |
/// | 40 | 4 | CRC-32C of the bytes before |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The space that the data of this server lives in.
    pub space: Space,
    /// The node that issued last.
    pub node: Node,
    /// The first tick that may not be returned.
    pub end: Tick,
}

/// Why bytes are not a record that can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RecordError {
    /// Not a lease file at all.
    #[error("it does not begin as a lease file does")]
    Foreign,
    /// Written by a later version of the extension.
    #[error("it has format version {0}, and this library knows version {VERSION}")]
    Version(u32),
    /// Cut off, or followed by something else.
    #[error("it has {0} bytes instead of {len}", len = Record::LEN)]
    Length(usize),
    /// Damaged.
    #[error("its checksum does not match")]
    Checksum,
    /// Intact, but no such record was ever written.
    #[error("its {0} is out of range")]
    Value(&'static str),
}

const MAGIC: [u8; 8] = *b"PGSNOWFL";
const VERSION: u32 = 1;

impl Record {
    /// Length of a record on disk, in bytes.
    pub const LEN: usize = 44;

    /// The record as it stands on disk.
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
        let checksum = crc32c::crc32c(&bytes[..40]);
        bytes[40..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads a record.
    ///
    /// # Errors
    /// When the bytes are not exactly what [`Record::to_bytes`] makes: nothing is guessed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        // A later version may be longer, so the version is looked at before the length.
        if !bytes.starts_with(&MAGIC[..bytes.len().min(8)]) {
            return Err(RecordError::Foreign);
        }
        if let Some(version) = bytes.get(8..12) {
            match u32::from_le_bytes(array(version)) {
                VERSION => {}
                other => return Err(RecordError::Version(other)),
            }
        }
        let bytes: &[u8; Self::LEN] =
            bytes.try_into().map_err(|_| RecordError::Length(bytes.len()))?;
        if crc32c::crc32c(&bytes[..40]) != u32::from_le_bytes(array(&bytes[40..])) {
            return Err(RecordError::Checksum);
        }
        Self::from_intact(bytes)
    }

    /// The first moment that no ID of the lease is of, in milliseconds since 1970.
    #[must_use]
    pub fn end_unix_millis(&self) -> i64 {
        let generator = Generator::new(self.space, self.node);
        generator.map_or(0, |it| it.unix_millis(it.whole_millis(self.end)))
    }

    fn from_intact(bytes: &[u8; Self::LEN]) -> Result<Self, RecordError> {
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
        let record = Self {
            space: Space { layout, epoch },
            node,
            end: u64::from_le_bytes(array(&bytes[32..40])),
        };
        if record.end > record.space.end() {
            return Err(RecordError::Value("end"));
        }
        // What is left: the byte that is always 0.
        if record.to_bytes() == *bytes { Ok(record) } else { Err(RecordError::Value("padding")) }
    }
}

/// The first `N` bytes; the callers pass `N` or more.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    std::array::from_fn(|index| bytes[index])
}
