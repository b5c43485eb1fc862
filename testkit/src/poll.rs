//! Waiting for something to become true: the only way anything here waits.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// How long a wait lasts before it counts as a hang. Nothing here takes so long, however busy the
/// machine is.
pub const DEADLINE: Duration = Duration::from_secs(300);
const INTERVAL: Duration = Duration::from_millis(10);

/// Polls `condition` until it holds; an error after `deadline`, naming `what` was waited for.
pub fn wait_for(
    what: &str,
    deadline: Duration,
    mut condition: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let start = Instant::now();
    while !condition()? {
        if start.elapsed() > deadline {
            bail!("waited {deadline:?} in vain for {what}");
        }
        thread::sleep(INTERVAL);
    }
    Ok(())
}
