//! What a trigger was created with.

use super::super::spi::readable;
use super::row::Row;
use crate::error::{Code, Report};
use pgrx::pg_sys;
use std::ffi::{CStr, CString};

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
pub struct Arguments {
    pub level: Level,
    /// The number of the column that is named.
    pub column: Option<i32>,
}

impl Arguments {
    /// Refuses what is neither a level nor a column, or a second of its kind.
    pub fn of(row: &Row) -> Self {
        let (mut level, mut column) = (None, None);
        for text in row.arguments() {
            let is_second = match level_of(text) {
                Some(it) => level.replace(it).is_some(),
                None => column.replace(column_of(row, text)).is_some(),
            };
            if is_second {
                second(text);
            }
        }
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

fn column_of(row: &Row, text: &CStr) -> i32 {
    if text.count_bytes() > LONGEST {
        unknown(row, c"...");
    }
    let quoted = unquoted(text);
    row.column(quoted.as_deref().unwrap_or(text)).unwrap_or_else(|| unknown(row, text))
}

/// More than any name in double quotes: an argument of any length is not copied.
const LONGEST: usize = 2 * pg_sys::NAMEDATALEN as usize;

/// The name in double quotes, as SQL writes it.
fn unquoted(text: &CStr) -> Option<CString> {
    let name = text.to_bytes().strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut bytes = name.iter().copied().peekable();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        plain.push(byte);
        if byte == b'"' {
            bytes.next_if_eq(&b'"');
        }
    }
    CString::new(plain).ok()
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
