//! Why this server cannot issue IDs: one list in one order, for callers, `snowflake_status()` and the log at
//! start.

use crate::error::{Refusal, warn_of_end};
use crate::shared::{self, Shared};
use crate::{clock, lease, node};
use pgrx::pg_sys;
use snowflake_core::Generator;

/// Less than this before the end of the timestamp section, a start warns.
const WARN_BEFORE_END_MILLIS: i64 = 5 * 365 * 24 * 60 * 60 * 1_000;

/// What issuing needs: that the library is preloaded, settings, a lease that fits them, a clock inside of the
/// ID space, and a server that is not a standby, in this order.
///
/// # Errors
/// With the first of these that is missing. Whether the lease can be written, only the next write tells:
/// [`Shared::lease_failure`].
pub fn check() -> Result<(Generator, &'static Shared), Refusal> {
    let shared = shared::get().ok_or(Refusal::NotPreloaded)?;
    let generator = check_lease_and_clock(Some(shared))?;
    // SAFETY: any process attached to shared memory may ask.
    if unsafe { pg_sys::RecoveryInProgress() } {
        return Err(Refusal::Standby);
    }
    Ok((generator, shared))
}

fn check_lease_and_clock(shared: Option<&Shared>) -> Result<Generator, Refusal> {
    let generator = node::generator()?;
    let next = match shared {
        Some(shared) => lease::mark(&generator, shared)?,
        None => lease::recorded(&generator)?.map_or(0, |record| record.end),
    };
    let space = generator.space();
    let now = clock::wall_millis();
    // A clock before the epoch is no obstacle where IDs have been issued before.
    if now < space.epoch.unix_millis() && next == 0 {
        Err(Refusal::EpochInFuture(space.epoch))
    } else if now > space.last_unix_millis() || generator.check(next).is_err() {
        Err(Refusal::Exhausted(space))
    } else {
        Ok(generator)
    }
}

/// Tells the server log what would keep this server from issuing IDs, now or in a few years. A
/// wrong setting is no reason to keep the server from starting.
pub fn report_at_start() {
    match check_lease_and_clock(None) {
        Err(refusal) => refusal.log_at_start(),
        Ok(generator) => {
            let space = generator.space();
            if clock::wall_millis() > space.last_unix_millis() - WARN_BEFORE_END_MILLIS {
                warn_of_end(space);
            }
        }
    }
}
