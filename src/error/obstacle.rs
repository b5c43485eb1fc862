//! What the core has found in the way.

use super::{Code, Report, moment, system_error};
use crate::lease_file;
use snowflake_core::{Delay, Epoch, Failure, Obstacle, RecordError, Section, Space};

pub fn report(obstacle: Obstacle) -> Report {
    match obstacle {
        Obstacle::SpaceDiffers { recorded, configured } => space_differs(recorded, configured),
        Obstacle::LeaseDamaged(error) => lease_damaged(error),
        Obstacle::LeaseFile(failure) => lease_file(failure),
        Obstacle::EpochInFuture(epoch) => epoch_in_future(epoch),
        Obstacle::Exhausted(space) => exhausted(space),
        Obstacle::TooFarAhead { millis, wall_millis, max_drift_millis } => {
            too_far_ahead(millis, wall_millis, max_drift_millis)
        }
        Obstacle::Standby => standby(),
    }
}

/// What callers wait for; they are not refused.
pub fn delay_text(delay: Delay, millis: i64) -> String {
    let what = match delay {
        Delay::Write => "writing the snowflake lease has taken",
        Delay::Standbys => "the snowflake lease has waited for synchronous standbys for",
    };
    format!("{what} {millis} ms so far")
}

fn epoch_in_future(epoch: Epoch) -> Report {
    Report::new(
        Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        "the snowflake epoch lies in the future",
        format!("The epoch is {epoch}."),
        "Check the server's clock and \"pg_snowflake.epoch\".",
    )
}

fn exhausted(space: Space) -> Report {
    Report::new(
        Code::ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED,
        "the timestamp section of snowflake IDs is exhausted",
        section_text(space),
        "Check the server's clock; if it is right, the data needs a new ID space: see \"When the \
         timestamp runs out\" in docs/layout.md.",
    )
}

pub fn section_text(space: Space) -> String {
    format!(
        "{} bits of milliseconds since {} end at {}.",
        space.layout.bits(Section::Timestamp),
        space.epoch,
        last_time(space)
    )
}

/// The end of the space.
pub fn last_time(space: Space) -> String {
    moment(space.last_unix_millis())
}

fn too_far_ahead(millis: i64, wall_millis: i64, max_drift_millis: u32) -> Report {
    Report::new(
        Code::ERRCODE_DATETIME_FIELD_OVERFLOW,
        "snowflake ID is too far ahead of the clock",
        format!(
            "A greater ID has the time {}; the wall clock is at {}, and \"pg_snowflake.max_drift\" is \
             {max_drift_millis} ms.",
            moment(millis),
            moment(wall_millis)
        ),
        "Check the ID, and the clocks of the server that has issued it and of this one.",
    )
}

fn standby() -> Report {
    Report::new(
        Code::ERRCODE_READ_ONLY_SQL_TRANSACTION,
        "cannot issue snowflake IDs during recovery",
        "This server is a standby: the IDs of its primary reach it with the replicated rows.",
        "Issue them on the primary, or promote this server.",
    )
}

fn space_differs(recorded: Space, configured: Space) -> Report {
    Report::new(
        Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        "configured layout or epoch differs from that of the existing snowflake IDs",
        format!(
            "Existing IDs have {}, according to file \"{}\"; the settings are {}.",
            space_text(recorded),
            lease_file::NAME,
            space_text(configured)
        ),
        "Set \"pg_snowflake.epoch\" and the section widths back and restart the server; only if none of \
         its IDs is in use, stop the server and remove the file instead.",
    )
}

fn space_text(Space { layout, epoch }: Space) -> String {
    let bits = |section| layout.bits(section);
    format!(
        "datacenter_bits = {}, machine_bits = {}, sequence_bits = {} and epoch = {epoch}",
        bits(Section::Datacenter),
        bits(Section::Machine),
        bits(Section::Sequence)
    )
}

fn lease_damaged(error: RecordError) -> Report {
    let name = lease_file::NAME;
    let hint = match error {
        RecordError::Version(_) => {
            "Install the version of pg_snowflake that has written it, or a later one, and restart the server."
        }
        _ => {
            "Stop the server and keep it stopped for longer than \"pg_snowflake.max_drift\"; then, only if its \
             clock was never ahead of the present time, remove the file and start the server. Otherwise see \
             \"The lease is damaged\" in docs/operations.md."
        }
    };
    Report::new(
        Code::ERRCODE_DATA_CORRUPTED,
        format!("file \"{name}\" in the data directory is not a valid snowflake lease"),
        format!("{} The lease says which IDs may have been issued already.", fault_text(error)),
        hint,
    )
}

/// What is wrong with a record, as a sentence.
pub fn fault_text(error: RecordError) -> String {
    let text = error.to_string();
    let (first, rest) = text.split_at(1);
    format!("{}{rest}.", first.to_uppercase())
}

fn lease_file(Failure { step, errno }: Failure) -> Report {
    let code = match errno {
        libc::ENOSPC | libc::EDQUOT => Code::ERRCODE_DISK_FULL,
        libc::EACCES | libc::EPERM | libc::EROFS => Code::ERRCODE_INSUFFICIENT_PRIVILEGE,
        libc::EMFILE | libc::ENFILE => Code::ERRCODE_INSUFFICIENT_RESOURCES,
        libc::EISDIR => Code::ERRCODE_WRONG_OBJECT_TYPE,
        _ => Code::ERRCODE_IO_ERROR,
    };
    let error = system_error(std::io::Error::from_raw_os_error(errno));
    let what = lease_file::file(step).map_or_else(
        || "the data directory".to_owned(),
        |name| format!("file \"{name}\" in the data directory"),
    );
    Report::new(
        code,
        format!("could not {} {what}: {error}", lease_file::action(step)),
        "A snowflake ID is returned only when the lease on disk covers it.",
        "Nothing is lost: once the file system works again, so does the next call.",
    )
}
