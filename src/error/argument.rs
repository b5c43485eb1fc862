//! What is wrong with an argument.

use super::{Code, Report, moment as moment_text, widths_text};
use crate::time;
use snowflake_core::{Layout, LayoutError, Section, Space, TextError, TextForm};

pub fn negative(id: i64) -> Report {
    Report::new(
        Code::ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
        format!("snowflake ID {id} is negative"),
        "The sign bit of a snowflake ID is always 0.",
        "",
    )
}

pub fn timestamp(id: i64) -> Report {
    Report::new(
        Code::ERRCODE_DATETIME_FIELD_OVERFLOW,
        format!("the time of snowflake ID {id} is out of range"),
        "It lies outside of what type timestamp with time zone can hold.",
        "Check the ID, the epoch and the section widths.",
    )
}

pub fn json_time(id: i64) -> Report {
    Report::new(
        Code::ERRCODE_DATETIME_FIELD_OVERFLOW,
        format!("the time of snowflake ID {id} is out of range"),
        "It lies after the year 9999, which ISO 8601 has no form for.",
        "Use snowflake_decode() for this ID.",
    )
}

pub fn moment(micros: i64, space: Space) -> Report {
    Report::new(
        Code::ERRCODE_DATETIME_FIELD_OVERFLOW,
        "timestamp is outside the snowflake ID range",
        format!(
            "The time is {}; IDs have times from {} to {}.",
            timestamptz_text(micros),
            space.epoch,
            moment_text(space.last_unix_millis())
        ),
        "",
    )
}

pub fn part(section: Section, value: i32, layout: Layout) -> Report {
    let section_name = section.name();
    Report::new(
        Code::ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
        format!("{section_name} {value} is out of range"),
        format!(
            "The valid range is 0 to {}, with {section_name}_bits = {}.",
            layout.max(section),
            layout.bits(section)
        ),
        "",
    )
}

pub fn text(form: TextForm, error: TextError) -> Report {
    let name = form.name();
    let (code, detail) = match error {
        TextError::Length { found, .. } => (
            Code::ERRCODE_INVALID_TEXT_REPRESENTATION,
            format!("It has {found} bytes; the {name} form has {}.", form.len()),
        ),
        TextError::Alphabet { position, .. } => (
            Code::ERRCODE_INVALID_TEXT_REPRESENTATION,
            format!("Byte {position} is none of the form's characters: {}.", form.alphabet()),
        ),
        TextError::Overflow => (
            Code::ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
            format!("It stands for a number greater than {}.", i64::MAX),
        ),
    };
    Report::new(code, format!("invalid {name} snowflake ID"), detail, "")
}

pub fn empty_range(from: i64, to: i64) -> Report {
    Report::new(
        Code::ERRCODE_INVALID_PARAMETER_VALUE,
        "the range of time is empty",
        format!("It is from {} to {}, exclusive.", timestamptz_text(from), timestamptz_text(to)),
        "Choose a start at least one millisecond earlier than the end.",
    )
}

pub fn count(n: i64, max: i64) -> Report {
    Report::new(
        Code::ERRCODE_INVALID_PARAMETER_VALUE,
        format!("cannot issue {n} snowflake IDs at a time"),
        format!("The valid range is 1 to {max}."),
        "",
    )
}

pub fn not_superuser() -> Report {
    Report::new(
        Code::ERRCODE_INSUFFICIENT_PRIVILEGE,
        "permission denied to raise the snowflake ID clock",
        "Only superusers may raise it.",
        "",
    )
}

pub fn raise(id: i64) -> Report {
    Report::new(
        Code::ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
        format!("snowflake ID {id} is more than a year ahead of the wall clock"),
        "The snowflake ID clock never goes back.",
        "Raise it above IDs that this server has issued, and not above keys of other origin.",
    )
}

pub fn width(section: Section, bits: i32) -> Report {
    Report::new(
        Code::ERRCODE_INVALID_PARAMETER_VALUE,
        format!("{}_bits cannot be {bits}", section.name()),
        format!("A section may have 0 to {} bits.", Layout::MAX_NODE_AND_SEQUENCE_BITS),
        "",
    )
}

pub fn widths(widths: LayoutError) -> Report {
    Report::new(
        Code::ERRCODE_INVALID_PARAMETER_VALUE,
        "the layout leaves too few bits for the timestamp",
        widths_text(widths),
        "",
    )
}

pub fn epoch(micros: i64) -> Report {
    let message = "the time cannot be an epoch";
    if micros % 1_000 == 0 || time::to_unix_millis(micros).is_none() {
        let detail =
            format!("It is {}; an epoch is of the years 0 to 9999.", timestamptz_text(micros));
        Report::new(Code::ERRCODE_DATETIME_FIELD_OVERFLOW, message, detail, "")
    } else {
        let detail = "An epoch is a whole millisecond.";
        Report::new(Code::ERRCODE_INVALID_PARAMETER_VALUE, message, detail, "")
    }
}

/// A `timestamptz`, in microseconds since 2000, to the millisecond.
fn timestamptz_text(micros: i64) -> String {
    match time::to_unix_millis(micros) {
        Some(millis) => moment_text(millis),
        None if micros < 0 => "-infinity".to_owned(),
        None => "infinity".to_owned(),
    }
}
