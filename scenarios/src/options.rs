//! How scenarios are told what to do: the same options for a command line and for a test.

use std::time::Duration;

use clap::{Args, Command};

/// The options unless the command line says otherwise; every one of them has a default.
#[must_use]
pub fn defaults<T: Args>() -> T {
    let command = T::augment_args(Command::new("defaults").no_binary_name(true));
    command
        .try_get_matches_from([""; 0])
        .and_then(|matches| T::from_arg_matches(&matches))
        .expect("an option without a default")
}

/// Reads seconds, whole ones or not.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|error| format!("{error}"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
