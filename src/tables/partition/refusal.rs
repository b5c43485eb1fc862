//! What is refused, with SQLSTATE, message, DETAIL and HINT.

use super::bounds::{Bounds, time_text};
use super::parent::Partition;
use super::spi::readable;
use crate::error::{Code, Report};
use std::ffi::CStr;

const BY_RANGE: &str = "Create the table with PARTITION BY RANGE (id).";

pub fn long_zone(length: usize, max: usize) -> Report {
    let detail = format!("It has {length} bytes; the longest has {max}.");
    Report::new(
        Code::ERRCODE_INVALID_PARAMETER_VALUE,
        "name of a time zone is too long",
        detail,
        "",
    )
}

pub fn not_owner(name: &CStr) -> Report {
    let message = format!("must be owner of table {}", readable(name));
    Report::new(Code::ERRCODE_INSUFFICIENT_PRIVILEGE, message, "", "")
}

pub fn not_partitioned(name: &CStr) -> Report {
    let message = format!("\"{}\" is not a partitioned table", readable(name));
    Report::new(Code::ERRCODE_WRONG_OBJECT_TYPE, message, "", BY_RANGE)
}

pub fn not_by_range(name: &CStr) -> Report {
    let name = readable(name);
    let message = format!("table \"{name}\" is not partitioned by range of one bigint column");
    Report::new(Code::ERRCODE_WRONG_OBJECT_TYPE, message, "", BY_RANGE)
}

pub fn no_name() -> Report {
    Report::new(Code::ERRCODE_INVALID_NAME, "\"name\" must not be empty", "", "")
}

pub fn long_name(bytes: usize, max: usize) -> Report {
    Report::new(
        Code::ERRCODE_NAME_TOO_LONG,
        "\"name\" is too long",
        format!("It has {bytes} bytes; a name has at most {max}."),
        "",
    )
}

pub fn names_taken(parent: &CStr) -> Report {
    Report::new(
        Code::ERRCODE_DUPLICATE_TABLE,
        format!("every name for the new partition of \"{}\" is taken", readable(parent)),
        "",
        "Call snowflake_create_partition() with a name.",
    )
}

pub fn rows_in_default(parent: &CStr, default: &CStr, rows: u64, bounds: Bounds) -> Report {
    let (parent, default) = (readable(parent), readable(default));
    Report::new(
        Code::ERRCODE_CHECK_VIOLATION,
        format!(
            "default partition \"{default}\" of \"{parent}\" contains rows that belong to the new partition"
        ),
        format!(
            "{rows} {} an ID from {} to {}.",
            if rows == 1 { "row has" } else { "rows have" },
            time_text(bounds.first),
            time_text(bounds.end)
        ),
        format!(
            "Detach \"{default}\", create the partition, move the rows and attach \"{default}\" again: see \
             \"The default partition\" in docs/partitions.md."
        ),
    )
}

pub fn every(detail: &str) -> Report {
    Report::new(
        Code::ERRCODE_INVALID_PARAMETER_VALUE,
        "\"every\" must be a positive number of months, days or hours",
        detail,
        "Write for example '1 month', '1 week' or '6 hours'.",
    )
}

pub fn ahead(max: i32) -> Report {
    let message = format!("\"ahead\" must be between 0 and {max}");
    Report::new(Code::ERRCODE_INVALID_PARAMETER_VALUE, message, "", "")
}

pub fn too_many(from: i64, to: i64, max: usize) -> Report {
    Report::new(
        Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
        format!("cannot create more than {max} partitions at a time"),
        format!("There is none for IDs from {} to {}.", time_text(from), time_text(to)),
        "Create one partition for the time that has passed with snowflake_create_partition(), or let \
         \"every\" be longer.",
    )
}

pub fn without_end(partition: &Partition) -> Report {
    let name = readable(&partition.name);
    let since = match partition.bounds.first {
        Bounds::MIN => "It takes all IDs.".to_owned(),
        first => format!("It takes all IDs from {} on.", time_text(first)),
    };
    Report::new(
        Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("no partition can follow \"{name}\""),
        since,
        format!("Attach \"{name}\" as DEFAULT, or up to an ID instead of MAXVALUE."),
    )
}
