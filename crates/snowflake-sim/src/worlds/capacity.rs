//! What a layout has room for.

use jiff::Timestamp;
use serde::Serialize;
use snowflake_core::{Epoch, Layout, Section, Space};

const MILLIS_OF_A_YEAR: f64 = 365.2425 * 86_400_000.0;
/// Every whole number below it is one that JavaScript has.
const JAVASCRIPT_BITS: u32 = 53;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Capacity {
    pub layout: Layout,
    pub timestamp_bits: u32,
    pub nodes: u64,
    pub ids_per_second_and_node: u64,
    pub ids_per_second: u64,
    pub years: f64,
    /// With the default epoch; none where the calendar does not go that far.
    pub last_day: Option<String>,
    /// The same for the last ID below 2^53, of layouts that are meant for it.
    pub last_day_below_2_53: Option<String>,
}

impl Capacity {
    pub fn of(layout: Layout) -> Self {
        let space = Space { layout, epoch: Epoch::default() };
        let size = |section| layout.max(section) + 1;
        let nodes = size(Section::Datacenter) * size(Section::Machine);
        let ids_per_second_and_node = size(Section::Sequence) * 1_000;
        Self {
            layout,
            timestamp_bits: layout.bits(Section::Timestamp),
            nodes,
            ids_per_second_and_node,
            ids_per_second: nodes * ids_per_second_and_node,
            years: size(Section::Timestamp) as f64 / MILLIS_OF_A_YEAR,
            last_day: day(space.last_unix_millis()),
            last_day_below_2_53: layout.is_javascript_safe().then(|| last_below_2_53(space)),
        }
    }
}

fn day(unix_millis: i64) -> Option<String> {
    let timestamp = Timestamp::from_millisecond(unix_millis).ok()?;
    Some(timestamp.strftime("%Y-%m-%d").to_string())
}

fn last_below_2_53(space: Space) -> String {
    let last = space.decode((1 << JAVASCRIPT_BITS) - 1).unwrap();
    day(last.unix_millis).unwrap()
}

/// With commas.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
