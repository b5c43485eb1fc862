//! `snowflake_guard`: notices rows with IDs of this server that it has not issued, as they arrive.

mod arguments;
mod finding;
mod moved;

use super::trigger::{Event, Finding as _, Known, Row, RowPointer, Trigger, warn};
use crate::error::Refusal;
use crate::{node, server};
use arguments::{Arguments, Level};
use finding::{Finding, Issued};
use pgrx::prelude::*;

thread_local! {
    static KNOWN: Known<Arguments> = const { Known::new() };
}

/// `snowflake_guard([level | column]...)`, a trigger function: the row passes as it is, unless the level
/// is `error` and its ID is one of this server that it has not issued.
#[pg_extern(sql = false)]
fn snowflake_guard(fcinfo: pg_sys::FunctionCallInfo) -> RowPointer {
    let row = Row::of("snowflake_guard", fcinfo);
    let Arguments { level, column } = KNOWN.with(|known| known.of(&row, Arguments::of));
    if let Some(finding) = find(&row, column) {
        match level {
            Level::Warning => warn(Trigger::Guard, finding),
            Level::Error => finding.report().raise(),
        }
    }
    row.pointer()
}

/// What there is to say of the row. An UPDATE that leaves the ID as it is brings none into the table: the row may
/// be one that was restored, or that a warning was written of when it arrived.
fn find(row: &Row, column: i32) -> Option<Finding> {
    let id = row.new_id(column)?;
    if row.event == Event::Update && row.old_id(column) == Some(id) {
        moved::remember(row, id);
        return None;
    }
    match not_issued(id) {
        Ok(None) => None,
        Ok(Some(_)) if row.event == Event::Insert && moved::is_moved(row, id) => None,
        Ok(Some(issued)) => Some(Finding::NotIssued { relation: row.relation_name(), id, issued }),
        // A guard that cannot see says so.
        Err(refusal) => Some(Finding::Blind(refusal)),
    }
}

/// What this server has issued, if the ID has its identity and is not among that.
fn not_issued(id: i64) -> Result<Option<Issued>, Refusal> {
    let generator = match node::generator() {
        // Without an identity there is none to misuse.
        Err(Refusal::MachineUnset) => return Ok(None),
        generator => generator?,
    };
    // By the space that this server's IDs have, whatever the settings say: `mark` tells the difference.
    let is_ours = node::space()?.decode(id).is_ok_and(|id| id.node == generator.node());
    if !is_ours {
        return Ok(None);
    }
    let mark = server::of(generator).ok_or(Refusal::NotPreloaded)?.mark()?;
    let is_beyond = generator.check(mark).is_ok() && id >= generator.id(mark);
    let issued = if mark == 0 { Issued::Nothing } else { Issued::Below(generator.id(mark)) };
    Ok(is_beyond.then_some(issued))
}
