//! Encoding, decoding and the limits of every legal layout.
#![cfg(not(loom))]
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{CALENDAR, epochs, layouts, parts, spaces};
use proptest::prelude::*;
use snowflake_core::{
    Decoded, Epoch, EpochError, IdError, Layout, LayoutError, Node, Parts, Section, SectionError,
    Space,
};

/// JavaScript's Number.MAX_SAFE_INTEGER.
const MAX_SAFE_INTEGER: i64 = (1 << 53) - 1;
/// 2^41 milliseconds: the default timestamp section.
const YEARS_69: u64 = 1 << 41;

fn layout_and_parts() -> impl Strategy<Value = (Layout, Parts)> {
    layouts().prop_flat_map(|layout| (Just(layout), parts(layout)))
}

fn layout_and_two_parts() -> impl Strategy<Value = (Layout, Parts, Parts)> {
    layouts().prop_flat_map(|layout| (Just(layout), parts(layout), parts(layout)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn decode_inverts_encode((layout, parts) in layout_and_parts()) {
        prop_assert_eq!(layout.decode(layout.encode(parts).unwrap()), parts);
    }

    #[test]
    fn encode_inverts_decode(layout in layouts(), id in 0..=i64::MAX) {
        prop_assert_eq!(layout.encode(layout.decode(id)), Ok(id));
    }

    #[test]
    fn sign_bit_is_never_set((layout, parts) in layout_and_parts()) {
        prop_assert!(layout.encode(parts).unwrap() >= 0);
    }

    #[test]
    fn ids_of_a_node_sort_by_time_then_sequence((layout, a, b) in layout_and_two_parts()) {
        let b = Parts { datacenter: a.datacenter, machine: a.machine, ..b };
        prop_assert_eq!(
            layout.encode(a).unwrap().cmp(&layout.encode(b).unwrap()),
            (a.timestamp, a.sequence).cmp(&(b.timestamp, b.sequence))
        );
    }

    #[test]
    fn ids_of_all_nodes_sort_by_time_first((layout, a, b) in layout_and_two_parts()) {
        prop_assume!(a.timestamp != b.timestamp);
        prop_assert_eq!(
            layout.encode(a).unwrap().cmp(&layout.encode(b).unwrap()),
            a.timestamp.cmp(&b.timestamp)
        );
    }

    #[test]
    fn ids_of_different_nodes_differ((layout, a, b) in layout_and_two_parts()) {
        prop_assume!((a.datacenter, a.machine) != (b.datacenter, b.machine));
        prop_assert_ne!(layout.encode(a).unwrap(), layout.encode(b).unwrap());
    }

    #[test]
    fn javascript_safe_layouts_stay_within_2_53_for_69_years((layout, parts) in layout_and_parts()) {
        let last = Parts {
            timestamp: (YEARS_69 - 1).min(layout.max(Section::Timestamp)),
            datacenter: layout.max(Section::Datacenter) as u32,
            machine: layout.max(Section::Machine) as u32,
            sequence: layout.max(Section::Sequence) as u32,
        };
        let all_fit = layout.encode(last).unwrap() <= MAX_SAFE_INTEGER;
        prop_assert_eq!(layout.is_javascript_safe(), all_fit);
        if all_fit && parts.timestamp < YEARS_69 {
            prop_assert!(layout.encode(parts).unwrap() <= MAX_SAFE_INTEGER);
        }
    }

    #[test]
    fn every_part_beyond_its_section_is_refused(
        (layout, parts) in layout_and_parts(), excess in 1..=1000_u32, which in 0..4_u8
    ) {
        let beyond = |section| layout.max(section) + u64::from(excess);
        let (parts, section) = match which {
            0 => (Parts { timestamp: beyond(Section::Timestamp), ..parts }, Section::Timestamp),
            1 => (Parts { datacenter: beyond(Section::Datacenter) as u32, ..parts }, Section::Datacenter),
            2 => (Parts { machine: beyond(Section::Machine) as u32, ..parts }, Section::Machine),
            _ => (Parts { sequence: beyond(Section::Sequence) as u32, ..parts }, Section::Sequence),
        };
        let expected = SectionError { section, value: beyond(section), max: layout.max(section) };
        prop_assert_eq!(layout.encode(parts), Err(expected));
    }

    #[test]
    fn widths_are_legal_exactly_when_39_bits_are_left(
        datacenter in 0..=70_u32, machine in 0..=70_u32, sequence in 0..=70_u32
    ) {
        let legal = datacenter + machine + sequence <= 24;
        prop_assert_eq!(Layout::new(datacenter, machine, sequence).is_ok(), legal);
    }

    #[test]
    fn widths_sum_up_to_63(layout in layouts()) {
        let sections =
            [Section::Timestamp, Section::Datacenter, Section::Machine, Section::Sequence];
        prop_assert_eq!(sections.map(|section| layout.bits(section)).iter().sum::<u32>(), 63);
    }

    #[test]
    fn space_survives_json(space in spaces()) {
        let json = serde_json::to_string(&space).unwrap();
        prop_assert_eq!(serde_json::from_str::<Space>(&json).unwrap(), space);
    }

    #[test]
    fn epoch_reads_what_it_writes(epoch in epochs()) {
        prop_assert_eq!(epoch.to_string().parse::<Epoch>(), Ok(epoch));
        prop_assert_eq!(Epoch::from_unix_millis(epoch.unix_millis()), Some(epoch));
    }

    #[test]
    fn no_text_panics_as_epoch(text in ".{0,40}") {
        let _ = text.parse::<Epoch>();
    }
}

#[test]
fn widths_overflow_err() {
    let max = u32::MAX;
    let error = LayoutError { datacenter_bits: max, machine_bits: max, sequence_bits: 1 };
    assert_eq!(Layout::new(max, max, 1), Err(error));
}

#[test]
fn illegal_layout_in_json_err() {
    let json = r#"{"datacenter_bits":10,"machine_bits":10,"sequence_bits":12}"#;
    assert!(serde_json::from_str::<Layout>(json).unwrap_err().to_string().contains("39 of 63"));
}

/// The example of Wikipedia's article "Snowflake ID": a tweet of 2022-06-28 16:07:40.105 UTC from
/// machine 378, which is datacenter 11, worker 26 in Twitter's own layout and epoch.
#[test]
fn published_twitter_id_ok() {
    let epoch = Epoch::from_unix_millis(1_288_834_974_657).unwrap();
    let decoded = Space { layout: Layout::default(), epoch }.decode(1_541_815_603_606_036_480);
    let node = Node { datacenter: 11, machine: 26 };
    assert_eq!(decoded, Ok(Decoded { unix_millis: 1_656_432_460_105, node, sequence: 0 }));
}

#[test]
fn greatest_id_of_the_default_layout_ok() {
    let decoded = Space::default().decode(i64::MAX).unwrap();
    let node = Node { datacenter: 31, machine: 31 };
    let unix_millis = 1_704_067_200_000 + (1 << 41) - 1;
    assert_eq!(decoded, Decoded { unix_millis, node, sequence: 4095 });
    assert_eq!(Space::default().last_unix_millis(), unix_millis);
}

#[test]
fn negative_id_err() {
    assert_eq!(Space::default().decode(-1), Err(IdError::Negative(-1)));
    assert_eq!(Space::default().decode(i64::MIN), Err(IdError::Negative(i64::MIN)));
}

#[test]
fn time_beyond_i64_err() {
    let space = Space { layout: Layout::new(0, 0, 0).unwrap(), epoch: Epoch::default() };
    assert_eq!(space.decode(i64::MAX), Err(IdError::Time(i64::MAX)));
    assert_eq!(space.last_unix_millis(), i64::MAX);
}

#[test]
fn epoch_ok() {
    for text in [
        "2024-01-01 00:00:00+00",
        "2024-01-01T00:00:00Z",
        " 2024-01-01 00:00:00.000+00:00 ",
        "2024-01-01 02:00:00+02",
    ] {
        assert_eq!(text.parse(), Ok(Epoch::default()), "{text}");
    }
}

/// A text that is accepted as an epoch and then has no number would be taken for another epoch.
#[test]
fn every_epoch_that_is_read_has_a_number() {
    let (first, last) = CALENDAR.into_inner();
    for (text, millis) in [
        ("0000-01-01T00:00:00Z", first),
        ("+000000-01-01T00:00:00Z", first),
        ("9999-12-30T22:00:00.999Z", last),
    ] {
        let epoch: Epoch = text.parse().unwrap();
        assert_eq!(epoch.unix_millis(), millis);
        assert_eq!(Epoch::from_unix_millis(millis), Some(epoch));
    }
    assert_eq!(Epoch::from_unix_millis(first - 1), None);
    assert_eq!(Epoch::from_unix_millis(last + 1), None);
}

#[test]
fn epochs_outside_of_the_calendar_err() {
    for text in [
        "-009999-01-02T01:59:58.999Z",
        "-000001-12-31T23:59:59.999Z",
        "0000-01-01T00:00:00+00:01",
        "9999-12-30T22:00:01Z",
        "9999-12-30T22:00:00.999-00:01",
    ] {
        assert!(matches!(text.parse::<Epoch>(), Err(EpochError::Syntax(_))), "{text}");
    }
    for millis in [i64::MIN, i64::MAX] {
        assert_eq!(Epoch::from_unix_millis(millis), None);
    }
    // By serde too, which reads a timestamp and no epoch.
    assert!(serde_json::from_str::<Epoch>("\"-000001-12-31T23:59:59Z\"").is_err());
}

#[test]
fn epoch_err() {
    for text in [
        "",
        "garbage",
        "2024-01-01",
        "2024-01-01 00:00:00",
        "infinity",
        "now",
        "2024-13-01 00:00:00Z",
    ] {
        assert!(matches!(text.parse::<Epoch>(), Err(EpochError::Syntax(_))), "{text}");
    }
    assert_eq!("2024-01-01 00:00:00.0001Z".parse::<Epoch>(), Err(EpochError::Fraction));
}
