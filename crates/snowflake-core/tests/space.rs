//! IDs by their time on the calendar: packed from it, and taken apart into it.
#![cfg(not(loom))]
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{CALENDAR, parts, spaces};
use proptest::prelude::*;
use serde_json::json;
use snowflake_core::{
    Decoded, EncodeError, Epoch, Generator, IdError, Layout, Node, Parts, Section, SectionError,
    Space,
};

fn space_and_parts() -> impl Strategy<Value = (Space, Parts)> {
    spaces().prop_flat_map(|space| (Just(space), parts(space.layout)))
}

fn node(parts: Parts) -> Node {
    Node { datacenter: parts.datacenter, machine: parts.machine }
}

/// The greatest node and sequence, which only the last ID of a millisecond has.
fn last_of_millisecond(layout: Layout) -> (Node, u32) {
    let max = |section| layout.max(section) as u32;
    let node = Node { datacenter: max(Section::Datacenter), machine: max(Section::Machine) };
    (node, max(Section::Sequence))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn decode_inverts_encode((space, parts) in space_and_parts()) {
        let Some(unix_millis) = space.epoch.unix_millis().checked_add_unsigned(parts.timestamp)
        else {
            let id = space.layout.encode(parts).unwrap();
            prop_assert_eq!(space.decode(id), Err(IdError::Time(id)));
            return Ok(());
        };
        let (node, sequence) = (node(parts), parts.sequence);
        let id = space.encode(unix_millis, node, sequence).unwrap();
        prop_assert_eq!(Ok(id), space.layout.encode(parts));
        prop_assert_eq!(space.decode(id), Ok(Decoded { unix_millis, node, sequence }));
    }

    #[test]
    fn encode_inverts_decode(space in spaces(), id in 0..=i64::MAX) {
        if let Ok(Decoded { unix_millis, node, sequence }) = space.decode(id) {
            prop_assert_eq!(space.encode(unix_millis, node, sequence), Ok(id));
        }
    }

    /// What begins at the first ID of one moment and ends before that of another is what was issued
    /// between the two: range conditions on an ID column rely on it.
    #[test]
    fn first_id_parts_the_ids_of_a_millisecond_from_those_before(
        (space, now, before) in spaces()
            .prop_flat_map(|space| (Just(space), parts(space.layout), parts(space.layout)))
    ) {
        let millis = space.epoch.unix_millis().saturating_add_unsigned(now.timestamp);
        let first = space.first_id(millis).unwrap();
        prop_assert!(first <= space.encode(millis, node(now), now.sequence).unwrap());
        prop_assert_eq!(space.decode(first).map(|first| first.unix_millis), Ok(millis));
        if millis > space.epoch.unix_millis() {
            let earlier = space.encode(millis - 1, node(before), before.sequence).unwrap();
            prop_assert!(earlier < first);
            let (node, sequence) = last_of_millisecond(space.layout);
            prop_assert_eq!(space.encode(millis - 1, node, sequence), Ok(first - 1));
        }
    }

    #[test]
    fn times_are_refused_exactly_outside_of_the_space((space, parts) in space_and_parts()) {
        let encode = |millis| space.encode(millis, node(parts), parts.sequence);
        let (first, last) = (space.epoch.unix_millis(), space.last_unix_millis());
        prop_assert!(encode(first).is_ok() && encode(last).is_ok());
        for outside in [Some(first - 1), Some(i64::MIN), last.checked_add(1)].into_iter().flatten() {
            prop_assert_eq!(encode(outside), Err(EncodeError::Time(outside)));
            prop_assert_eq!(space.first_id(outside), Err(EncodeError::Time(outside)));
        }
        prop_assert_eq!(encode(i64::MAX).is_ok(), last == i64::MAX);
    }

    #[test]
    fn generator_and_encode_agree((space, parts) in space_and_parts()) {
        prop_assume!(space.layout.bits(Section::Timestamp) < 63); // or the end is beyond i64
        let generator = Generator::new(space, node(parts)).unwrap();
        let sequence_bits = space.layout.bits(Section::Sequence);
        let tick = parts.timestamp << sequence_bits | u64::from(parts.sequence);
        let encoded = space.encode(generator.unix_millis(tick), node(parts), parts.sequence);
        prop_assert_eq!(encoded, Ok(generator.id(tick)));
    }

    #[test]
    fn json_says_what_decode_says((space, parts) in space_and_parts()) {
        let id = space.layout.encode(parts).unwrap();
        let json = space.decode_json(id);
        match space.decode(id) {
            Ok(Decoded { unix_millis, node, sequence }) if unix_millis <= *CALENDAR.end() => {
                let Node { datacenter, machine } = node;
                let json = json.unwrap();
                let time = json["id_time"].as_str().unwrap();
                prop_assert!(time.ends_with('Z'), "{} is UTC", time);
                prop_assert_eq!(time.parse::<Epoch>().unwrap().unix_millis(), unix_millis);
                let expected = json!({
                    "id": id.to_string(), "id_time": time,
                    "datacenter": datacenter, "machine": machine, "sequence": sequence,
                });
                prop_assert_eq!(json, expected);
            }
            _ => prop_assert_eq!(json.map(drop), Err(IdError::Time(id))),
        }
    }

    #[test]
    fn negative_numbers_are_no_ids(space in spaces(), id in i64::MIN..0) {
        prop_assert_eq!(space.decode(id), Err(IdError::Negative(id)));
        prop_assert_eq!(space.decode_json(id), Err(IdError::Negative(id)));
    }
}

/// The example of Wikipedia's article "Snowflake ID", see tests/layout.rs.
#[test]
fn published_twitter_id_ok() {
    let epoch = Epoch::from_unix_millis(1_288_834_974_657).unwrap();
    let space = Space { layout: Layout::default(), epoch };
    let id = 1_541_815_603_606_036_480;
    let expected = json!({
        "id": "1541815603606036480", "id_time": "2022-06-28T16:07:40.105Z",
        "datacenter": 11, "machine": 26, "sequence": 0,
    });
    assert_eq!(space.decode_json(id), Ok(expected));
    let node = Node { datacenter: 11, machine: 26 };
    assert_eq!(space.encode(1_656_432_460_105, node, 0), Ok(id));
}

#[test]
fn time_in_json_is_iso_8601_in_utc() {
    let time = |unix_millis| {
        let id = Space::default().first_id(unix_millis).unwrap();
        Space::default().decode_json(id).unwrap()["id_time"].as_str().unwrap().to_owned()
    };
    assert_eq!(time(1_704_067_200_000), "2024-01-01T00:00:00Z");
    assert_eq!(time(1_709_251_199_999), "2024-02-29T23:59:59.999Z");
}

#[test]
fn json_ends_with_the_calendar() {
    let space = Space { layout: Layout::new(5, 5, 5).unwrap(), epoch: Epoch::default() };
    let json = |unix_millis| space.decode_json(space.first_id(unix_millis).unwrap());
    let last = *CALENDAR.end();
    assert_eq!(json(last).unwrap()["id_time"], "9999-12-30T22:00:00.999Z");
    let beyond = space.first_id(last + 1).unwrap();
    assert_eq!(json(last + 1), Err(IdError::Time(beyond)));
    // The number of milliseconds has no such end.
    assert_eq!(space.decode(beyond).unwrap().unix_millis, last + 1);
}

#[test]
fn last_millisecond_of_the_default_space_ok() {
    let last = 1_704_067_200_000 + (1 << 41) - 1;
    assert_eq!(Space::default().first_id(last), Ok(i64::MAX - (1 << 22) + 1));
    assert_eq!(Space::default().first_id(last + 1), Err(EncodeError::Time(last + 1)));
}

#[test]
fn parts_beyond_their_sections_err() {
    let now = 1_800_000_000_000;
    let refused = |datacenter, machine, sequence| {
        Space::default().encode(now, Node { datacenter, machine }, sequence).unwrap_err()
    };
    let error = |section, value, max| EncodeError::Section(SectionError { section, value, max });
    assert_eq!(refused(32, 0, 0), error(Section::Datacenter, 32, 31));
    assert_eq!(refused(0, 32, 0), error(Section::Machine, 32, 31));
    assert_eq!(refused(0, 0, 4096), error(Section::Sequence, 4096, 4095));
    let max = u32::MAX;
    assert_eq!(refused(0, 0, max).to_string(), "sequence 4294967295 is out of range 0 to 4095");
}
