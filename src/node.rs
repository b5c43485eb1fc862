//! What this server is: its ID space and its place in it, from the settings.

use crate::error::Refusal;
use crate::guc;
use crate::host::Postgres;
use crate::machine;
use pgrx::pg_sys;
use snowflake_core::{Generator, Layout, Space, read_lease};
use std::cell::Cell;
use std::sync::OnceLock;

/// What the lease file says of the ID space, once it does: a space stays.
static RECORDED: OnceLock<Space> = OnceLock::new();

thread_local! {
    /// Where it says nothing yet: the statement that has looked, by its start, and the space that holds for the rest of it.
    /// To read the file takes longer than to decode an ID.
    static NOT_RECORDED: Cell<Option<(i64, Space)>> = const { Cell::new(None) };
}

/// The ID space that this server's IDs are in: the recorded one or, as long as no ID was issued, the
/// configured one.
///
/// # Errors
/// When the record cannot be read, or there is none and the settings cannot be relied on: answering
/// by another space than the one that was meant would be worse than not answering.
pub fn space() -> Result<Space, Refusal> {
    if let Some(recorded) = RECORDED.get() {
        return Ok(*recorded);
    }
    let statement = statement();
    if let Some((_, space)) = NOT_RECORDED.get().filter(|(seen, _)| Some(*seen) == statement) {
        return Ok(space);
    }
    if let Some(record) = read_lease(&Postgres)?.filter(|record| record.end != 0) {
        return Ok(*RECORDED.get_or_init(|| record.space));
    }
    let space = configured_space()?;
    NOT_RECORDED.set(statement.map(|statement| (statement, space)));
    Ok(space)
}

/// The start of the statement; none where there is none, as in the processes of the server itself.
fn statement() -> Option<i64> {
    // SAFETY: plain reads of the session's state.
    unsafe { pg_sys::IsTransactionState().then(|| pg_sys::GetCurrentStatementStartTimestamp()) }
}

fn configured_space() -> Result<Space, Refusal> {
    if let Some(setting) = guc::rejected(&guc::name::SPACE) {
        return Err(Refusal::Rejected(setting));
    }
    let (datacenter_bits, machine_bits, sequence_bits) = guc::section_bits();
    let layout =
        Layout::new(datacenter_bits, machine_bits, sequence_bits).map_err(Refusal::Layout)?;
    Ok(Space { layout, epoch: guc::epoch() })
}

/// The generator that the server is configured to be.
///
/// # Errors
/// Also when the node is not set or does not fit the layout.
pub fn generator() -> Result<Generator, Refusal> {
    let space = configured_space()?;
    if let Some(setting) = guc::rejected(&guc::name::ISSUING) {
        return Err(Refusal::Rejected(setting));
    }
    machine::generator(space)
}
