//! Strategies that several test files draw from.
#![allow(dead_code, reason = "each file uses its own part")]

pub mod host;

use proptest::prelude::*;
use snowflake_core::{Epoch, Layout, Parts, Section, Space};
use std::ops::RangeInclusive;

/// Every legal layout, the extremes as likely as the middle.
pub fn layouts() -> impl Strategy<Value = Layout> {
    let all = Layout::MAX_NODE_AND_SEQUENCE_BITS;
    (0..=all)
        .prop_flat_map(move |datacenter| (Just(datacenter), 0..=all - datacenter))
        .prop_flat_map(move |(datacenter, machine)| {
            (Just(datacenter), Just(machine), 0..=all - datacenter - machine)
        })
        .prop_map(|(datacenter, machine, sequence)| {
            Layout::new(datacenter, machine, sequence).unwrap()
        })
}

/// From 0000-01-01 00:00:00 UTC to 9999-12-30 22:00:00.999 UTC, in milliseconds since 1970.
pub const CALENDAR: RangeInclusive<i64> = -62_167_219_200_000..=253_402_207_200_999;

/// Every epoch there is, the first and the last among them.
pub fn epochs() -> impl Strategy<Value = Epoch> {
    let (first, last) = CALENDAR.into_inner();
    prop_oneof![8 => CALENDAR, 1 => Just(first), 1 => Just(last)]
        .prop_map(|millis| Epoch::from_unix_millis(millis).unwrap())
}

/// Every legal layout with every epoch.
pub fn spaces() -> impl Strategy<Value = Space> {
    (layouts(), epochs()).prop_map(|(layout, epoch)| Space { layout, epoch })
}

/// Parts that fit a layout, its greatest ones among them.
pub fn parts(layout: Layout) -> impl Strategy<Value = Parts> {
    let section = move |section| {
        let max = layout.max(section);
        prop_oneof![8 => 0..=max, 1 => Just(max), 1 => Just(0)]
    };
    (
        section(Section::Timestamp),
        section(Section::Datacenter),
        section(Section::Machine),
        section(Section::Sequence),
    )
        .prop_map(|(timestamp, datacenter, machine, sequence)| Parts {
            timestamp,
            datacenter: datacenter as u32,
            machine: machine as u32,
            sequence: sequence as u32,
        })
}
