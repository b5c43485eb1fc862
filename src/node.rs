//! What this server is: its ID space and its place in it, from the settings.

use crate::error::{Refusal, warn_of_end};
use crate::{clock, guc};
use snowflake_core::{Generator, Layout, Node, Space};

/// Less than this before the end of the timestamp section, a start warns.
const WARN_BEFORE_END_MILLIS: i64 = 5 * 365 * 24 * 60 * 60 * 1_000;

/// The ID space that the server is configured with.
///
/// # Errors
/// When a setting it is made of was not accepted, or the widths leave no room for the timestamp:
/// answering by other values than the configured ones would be worse than not answering.
pub fn space() -> Result<Space, Refusal> {
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
    let space = space()?;
    if let Some(setting) = guc::rejected(&guc::name::ISSUING) {
        return Err(Refusal::Rejected(setting));
    }
    let machine = guc::machine_id().ok_or(Refusal::MachineUnset)?;
    let node = Node { datacenter: guc::datacenter_id(), machine };
    Generator::new(space, node).map_err(Refusal::Node)
}

/// Tells the server log what would keep this server from issuing IDs, now or in a few years. A
/// wrong setting is no reason to keep the server from starting.
pub fn report_at_start() {
    match generator() {
        Err(refusal) => refusal.log_at_start(),
        Ok(generator) => report_time(generator.space()),
    }
}

fn report_time(space: Space) {
    let now = clock::wall_millis();
    let end = space.last_unix_millis();
    if now < space.epoch.unix_millis() {
        Refusal::EpochInFuture(space.epoch).log_at_start();
    } else if now > end {
        Refusal::Exhausted(space).log_at_start();
    } else if now > end - WARN_BEFORE_END_MILLIS {
        warn_of_end(space);
    }
}
