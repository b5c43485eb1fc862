//! `snowflake_witness`: takes note of the IDs of rows as they arrive, so that those of this server are greater.

use super::spi::readable;
use super::trigger::{Finding, Known, Row, RowPointer, Trigger, warn};
use crate::error::{Code, Refusal, Report};
use crate::server;
use pgrx::prelude::*;
use std::ffi::{CStr, CString};

thread_local! {
    static COLUMNS: Known<i32> = const { Known::new() };
}

/// `snowflake_witness([column])`, a trigger function: the row passes as it is, whatever its ID.
#[pg_extern(sql = false)]
fn snowflake_witness(fcinfo: pg_sys::FunctionCallInfo) -> RowPointer {
    let row = Row::of("snowflake_witness", fcinfo);
    let column = COLUMNS.with(|columns| columns.of(&row, column));
    // A negative number is no ID.
    if let Some(id) = row.new_id(column).filter(|&id| id >= 0)
        && let Err(refusal) = witness(id)
    {
        warn(Trigger::Witness, NotWitnessed { relation: row.relation_name(), id, refusal });
    }
    row.pointer()
}

fn witness(id: i64) -> Result<(), Refusal> {
    Ok(server::ready()?.witness(id)?)
}

/// A row whose ID those of this server need not be greater than.
struct NotWitnessed {
    relation: CString,
    id: i64,
    refusal: Refusal,
}

impl Finding for NotWitnessed {
    fn report(&self) -> Report {
        let Self { relation, id, refusal } = self;
        let relation = readable(relation);
        refusal
            .report()
            .explaining(&format!("ID {id} of relation \"{relation}\" was not witnessed"))
    }
}

/// The column that is named, or the primary key.
fn column(row: &Row) -> i32 {
    let mut arguments = row.arguments();
    let column = match arguments.next() {
        Some(text) => row.column_named(text).unwrap_or_else(|| unknown(row, text)),
        None => row.primary_key(),
    };
    if let Some(text) = arguments.next() {
        second(text);
    }
    row.check(column);
    column
}

fn unknown(row: &Row, text: &CStr) -> ! {
    let (argument, relation) = (readable(text), readable(&row.relation_name()));
    Report::new(
        Code::ERRCODE_UNDEFINED_COLUMN,
        format!("argument \"{argument}\" of snowflake_witness() is not a column of relation \"{relation}\""),
        "",
        "The argument is the name of the column that has the IDs.",
    )
    .raise()
}

fn second(text: &CStr) -> ! {
    Report::new(
        Code::ERRCODE_INVALID_PARAMETER_VALUE,
        "conflicting or redundant arguments of snowflake_witness()",
        format!("\"{}\" is a second column.", readable(text)),
        "Create a trigger for each column.",
    )
    .raise()
}
