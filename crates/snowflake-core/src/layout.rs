//! The four sections of an ID and their widths.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Bits of an ID that carry something: all but the sign bit, which is always 0.
pub const PAYLOAD_BITS: u32 = 63;

/// The narrowest timestamp section a layout may have: 2^39 ms are 17.4 years.
pub const MIN_TIMESTAMP_BITS: u32 = 39;

/// The widths of the sections: `0 | timestamp | datacenter | machine | sequence`.
///
/// Datacenter, machine and sequence have the widths given here, each 0 to 24 bits; the timestamp
/// gets the rest of the 63 bits, at least [`MIN_TIMESTAMP_BITS`]. A `Layout` that exists is legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Widths", into = "Widths")]
pub struct Layout {
    widths: Widths,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename = "Layout", deny_unknown_fields)]
struct Widths {
    datacenter_bits: u32,
    machine_bits: u32,
    sequence_bits: u32,
}

/// The widths leave fewer than [`MIN_TIMESTAMP_BITS`] bits for the timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "datacenter_bits {datacenter_bits} + machine_bits {machine_bits} + sequence_bits \
     {sequence_bits} leave fewer than {MIN_TIMESTAMP_BITS} of {PAYLOAD_BITS} bits for the timestamp"
)]
pub struct LayoutError {
    /// Width asked for the datacenter section, in bits.
    pub datacenter_bits: u32,
    /// Width asked for the machine section, in bits.
    pub machine_bits: u32,
    /// Width asked for the sequence section, in bits.
    pub sequence_bits: u32,
}

/// The sections of an ID, from the highest bits to the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Section {
    /// Milliseconds since the epoch.
    Timestamp,
    /// Datacenter of the node.
    Datacenter,
    /// Machine of the node within its datacenter.
    Machine,
    /// Counter within one millisecond.
    Sequence,
}

impl Section {
    /// The section's name as it stands in column and setting names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Timestamp => "timestamp",
            Self::Datacenter => "datacenter",
            Self::Machine => "machine",
            Self::Sequence => "sequence",
        }
    }
}

/// A part does not fit its section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{} {value} is out of range 0 to {max}", section.name())]
pub struct SectionError {
    /// The section that is too narrow.
    pub section: Section,
    /// The value that does not fit.
    pub value: u64,
    /// The greatest value that does.
    pub max: u64,
}

/// The numbers an ID is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Parts {
    /// Milliseconds since the epoch.
    pub timestamp: u64,
    /// Datacenter of the node.
    pub datacenter: u32,
    /// Machine of the node within its datacenter.
    pub machine: u32,
    /// Counter within one millisecond.
    pub sequence: u32,
}

impl Default for Layout {
    /// Twitter's widths: 41 / 5 / 5 / 12.
    fn default() -> Self {
        Self { widths: Widths { datacenter_bits: 5, machine_bits: 5, sequence_bits: 12 } }
    }
}

impl TryFrom<Widths> for Layout {
    type Error = LayoutError;

    fn try_from(widths: Widths) -> Result<Self, LayoutError> {
        Self::new(widths.datacenter_bits, widths.machine_bits, widths.sequence_bits)
    }
}

impl From<Layout> for Widths {
    fn from(layout: Layout) -> Self {
        layout.widths
    }
}

/// All ones in the lowest `bits` bits; `bits` is below 64.
const fn ones(bits: u32) -> u64 {
    (1 << bits) - 1
}

impl Layout {
    /// The most bits that datacenter, machine and sequence may take together.
    pub const MAX_NODE_AND_SEQUENCE_BITS: u32 = PAYLOAD_BITS - MIN_TIMESTAMP_BITS;

    /// A layout of these widths, in bits.
    ///
    /// # Errors
    /// When they sum up to more than [`Layout::MAX_NODE_AND_SEQUENCE_BITS`].
    pub fn new(
        datacenter_bits: u32,
        machine_bits: u32,
        sequence_bits: u32,
    ) -> Result<Self, LayoutError> {
        let sum = datacenter_bits.saturating_add(machine_bits).saturating_add(sequence_bits);
        if sum > Self::MAX_NODE_AND_SEQUENCE_BITS {
            return Err(LayoutError { datacenter_bits, machine_bits, sequence_bits });
        }
        Ok(Self { widths: Widths { datacenter_bits, machine_bits, sequence_bits } })
    }

    /// Width of a section, in bits.
    #[must_use]
    pub const fn bits(self, section: Section) -> u32 {
        let Widths { datacenter_bits, machine_bits, sequence_bits } = self.widths;
        match section {
            Section::Timestamp => PAYLOAD_BITS - datacenter_bits - machine_bits - sequence_bits,
            Section::Datacenter => datacenter_bits,
            Section::Machine => machine_bits,
            Section::Sequence => sequence_bits,
        }
    }

    /// Greatest value of a section; its smallest is 0.
    #[must_use]
    pub const fn max(self, section: Section) -> u64 {
        ones(self.bits(section))
    }

    /// Whether every ID of this layout stays within 2^53 - 1, the greatest integer that a
    /// JavaScript number holds exactly, for as long as a 41-bit timestamp lasts (69 years).
    #[must_use]
    pub const fn is_javascript_safe(self) -> bool {
        self.timestamp_shift() <= 12
    }

    /// Packs parts into an ID, whose sign bit is 0.
    ///
    /// # Errors
    /// When a part does not fit its section.
    pub fn encode(self, parts: Parts) -> Result<i64, SectionError> {
        let tick = self.check(Section::Timestamp, parts.timestamp)? << self.bits(Section::Sequence)
            | self.check(Section::Sequence, parts.sequence.into())?;
        Ok(self.join(tick, self.node_bits(parts.datacenter, parts.machine)?))
    }

    /// Takes an ID apart. The sign bit is ignored: see [`crate::Space::decode`] for the check.
    #[must_use]
    pub fn decode(self, id: i64) -> Parts {
        let id = id.cast_unsigned();
        let section = |shift, section| id >> shift & self.max(section);
        // No section but the timestamp is wider than 24 bits, so nothing is cut off.
        Parts {
            timestamp: section(self.timestamp_shift(), Section::Timestamp),
            datacenter: section(self.datacenter_shift(), Section::Datacenter) as u32,
            machine: section(self.bits(Section::Sequence), Section::Machine) as u32,
            sequence: section(0, Section::Sequence) as u32,
        }
    }

    /// Datacenter and machine at their place within an ID.
    pub(crate) fn node_bits(self, datacenter: u32, machine: u32) -> Result<u64, SectionError> {
        let datacenter = self.check(Section::Datacenter, datacenter.into())?;
        let machine = self.check(Section::Machine, machine.into())?;
        Ok(datacenter << self.datacenter_shift() | machine << self.bits(Section::Sequence))
    }

    /// Opens the tick between timestamp and sequence and puts the node there.
    #[inline]
    pub(crate) const fn join(self, tick: u64, node_bits: u64) -> i64 {
        let sequence_bits = self.bits(Section::Sequence);
        let timestamp = tick >> sequence_bits << self.timestamp_shift();
        (timestamp | node_bits | tick & ones(sequence_bits)).cast_signed()
    }

    /// The other way round: millisecond, node bits at their place, sequence.
    #[inline]
    pub(crate) const fn split(self, id: u64) -> (u64, u64, u64) {
        let below = id & ones(self.timestamp_shift());
        let sequence = below & ones(self.bits(Section::Sequence));
        (id >> self.timestamp_shift(), below ^ sequence, sequence)
    }

    const fn timestamp_shift(self) -> u32 {
        PAYLOAD_BITS - self.bits(Section::Timestamp)
    }

    const fn datacenter_shift(self) -> u32 {
        self.bits(Section::Machine) + self.bits(Section::Sequence)
    }

    fn check(self, section: Section, value: u64) -> Result<u64, SectionError> {
        let max = self.max(section);
        if value > max { Err(SectionError { section, value, max }) } else { Ok(value) }
    }
}
