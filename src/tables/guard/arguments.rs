//! What a trigger was created with.

use super::super::spi::readable;
use super::super::trigger::Row;
use crate::error::{Code, Report};
use std::ffi::CStr;

const KNOWN: &str = "Arguments are a level, \"warning\" or \"error\", and the name of a column; one that is \
                     called like a level is written in double quotes.";

/// What happens to a row with an ID that this server has not issued.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It passes, with a warning.
    Warning,
    /// It is refused.
    Error,
}

/// At most one level and one column, in any order.
#[derive(Clone, Copy)]
pub struct Arguments {
    pub level: Level,
    /// The number of the column that is named, or is the primary key.
    pub column: i32,
}

impl Arguments {
    /// Refuses what is neither a level nor a column of IDs, or a second of its kind.
    pub fn of(row: &Row) -> Self {
        let (mut level, mut column) = (None, None);
        for text in row.arguments() {
            let is_second = match level_of(text) {
                Some(it) => level.replace(it).is_some(),
                None => column.replace(named(row, text)).is_some(),
            };
            if is_second {
                second(text);
            }
        }
        let column = column.unwrap_or_else(|| row.primary_key());
        row.check(column);
        Self { level: level.unwrap_or(Level::Warning), column }
    }
}

fn level_of(text: &CStr) -> Option<Level> {
    let is = |level: &[u8]| text.to_bytes().eq_ignore_ascii_case(level);
    if is(b"warning") {
        Some(Level::Warning)
    } else if is(b"error") {
        Some(Level::Error)
    } else {
        None
    }
}

fn named(row: &Row, text: &CStr) -> i32 {
    row.column_named(text).unwrap_or_else(|| unknown(row, text))
}

fn unknown(row: &Row, text: &CStr) -> ! {
    Report::new(
        Code::ERRCODE_UNDEFINED_COLUMN,
        format!(
            "argument \"{}\" of snowflake_guard() is neither a level nor a column of relation \"{}\"",
            readable(text),
            readable(&row.relation_name())
        ),
        "",
        KNOWN,
    )
    .raise()
}

fn second(text: &CStr) -> ! {
    let kind = if level_of(text).is_some() { "level" } else { "column" };
    Report::new(
        Code::ERRCODE_INVALID_PARAMETER_VALUE,
        "conflicting or redundant arguments of snowflake_guard()",
        format!("\"{}\" is a second {kind}.", readable(text)),
        KNOWN,
    )
    .raise()
}
