//! What the server log is told.

use super::obstacle::{self, fault_text, last_time, section_text};
use super::{Code, Report, moment};
use crate::lease_file;
use pgrx::pg_sys::elog::PgLogLevel;
use pgrx::pg_sys::panic::ErrorReport;
use snowflake_core::{Event, FloorSource, Node, RecordError, Space};

/// Says in the server log, at start, that the ID space ends in less than five years.
pub fn warn_of_end(space: Space) {
    Report::new(
        Code::ERRCODE_WARNING,
        format!("snowflake IDs run out at {}", last_time(space)),
        section_text(space),
        "Plan the move to a new ID space: see \"When the timestamp runs out\" in docs/layout.md.",
    )
    .report(PgLogLevel::WARNING);
}

/// Tells the server log what the core has to say.
pub fn log_event(event: Event) {
    match event {
        Event::OtherNode { before, now } => log_other_node(before, now),
        Event::StartsAhead { millis, source } => log_start_with_drift(millis, source),
        Event::StepBack(millis) => log_step_back(millis),
        Event::StepForward(millis) => warn_of_step_forward(millis),
        Event::Followed(millis) => log(
            format!("the wall clock has been {millis} ms ahead for a minute and is believed now"),
            "Snowflake IDs follow it.",
        ),
        Event::NoLease => warn_of_no_lease(),
        Event::SlotDamaged => warn_of_damaged_slot(),
        Event::OtherSystem { recorded, now } => warn_of_other_system(recorded, now),
        Event::SlowWrite(millis) => warn_of_slow_write(millis),
        Event::Raised { from, to } => log_raise(from, to),
        Event::KeeperFailed(obstacle) => obstacle::report(obstacle).report(PgLogLevel::WARNING),
    }
}

/// The lease says that another node has issued here before.
fn log_other_node(before: Node, now: Node) {
    log(
        format!(
            "snowflake IDs are issued by {} from now on, before by {}",
            text(now),
            text(before)
        ),
        "IDs go on above those that were issued before.",
    );
}

/// The ID clock is ahead of the wall clock from the start.
fn log_start_with_drift(millis: i64, source: FloorSource) {
    let what = match source {
        FloorSource::Lease => "the lease on disk",
        FloorSource::Replay => "the last lease replayed from WAL",
        FloorSource::Checkpoint => "the last checkpoint",
        FloorSource::Clock | FloorSource::Unknown => "the wall clock",
    };
    log(
        format!("the snowflake ID clock starts {millis} ms ahead of the wall clock"),
        &format!("IDs have to be above {what}. The wall clock will catch up."),
    );
}

/// The wall clock was set forward, or the machine was suspended.
fn warn_of_step_forward(millis: i64) {
    Report::new(
        Code::ERRCODE_WARNING,
        format!("the wall clock has stepped forward by {millis} ms"),
        "Snowflake IDs go on at the pace of real time from where they were, and follow it once it has lasted for a \
         minute.",
        "Check the server's clock: IDs of a wrong future cannot be taken back.",
    )
    .report(PgLogLevel::WARNING);
}

/// There is no lease file, although CREATE EXTENSION makes one.
fn warn_of_no_lease() {
    Report::new(
        Code::ERRCODE_WARNING,
        format!("file \"{}\" in the data directory does not exist", lease_file::NAME),
        "It says which snowflake IDs may have been issued. Without it, new IDs begin \"pg_snowflake.max_drift\" after \
         the wall clock, or after the last checkpoint if that is later. pg_upgrade leaves the file behind in the old \
         data directory.",
        "Compare with the IDs in tables by snowflake_audit(); if there are later ones, move the ID clock above them by \
         snowflake_raise().",
    )
    .report(PgLogLevel::WARNING);
}

/// Nothing else tells a write that a power cut has torn, which loses nothing, from a disk that forgets.
fn warn_of_damaged_slot() {
    Report::new(
        Code::ERRCODE_WARNING,
        format!("one half of file \"{}\" in the data directory is damaged", lease_file::NAME),
        "The halves hold the newest two leases of snowflake IDs. The other one is intact, and new IDs begin above it.",
        "If a write was cut off, as by a power cut, nothing is lost. Otherwise check the disk, and compare with the IDs \
         in tables by snowflake_audit(); if there are later ones, move the ID clock above them by snowflake_raise().",
    )
    .report(PgLogLevel::WARNING);
}

/// What the primary writes says nothing to this library, so a promotion would begin too low.
pub fn warn_of_unreadable_lease(error: RecordError) {
    Report::new(
        Code::ERRCODE_WARNING,
        "could not read a snowflake lease in WAL",
        format!("{} If this server is promoted, it may issue IDs again that its primary has issued.", fault_text(error)),
        "Before that, install the version of pg_snowflake that the primary has, or a later one, and restart this \
         server.",
    )
    .report(PgLogLevel::WARNING);
}

/// The data directory may be a copy of another server's, which has the same node.
fn warn_of_other_system(recorded: u64, now: u64) {
    Report::new(
        Code::ERRCODE_WARNING,
        "snowflake IDs were issued in another database cluster before",
        format!(
            "File \"{}\" is of the one with system identifier {recorded}; this one has {now}.",
            lease_file::NAME
        ),
        "If the other server goes on issuing snowflake IDs, give this one another \"pg_snowflake.machine_id\".",
    )
    .report(PgLogLevel::WARNING);
}

fn warn_of_slow_write(millis: i64) {
    Report::new(
        Code::ERRCODE_WARNING,
        format!("writing the snowflake lease took {millis} ms"),
        "The next one will last for several such writes, so that IDs do not have to wait for it.",
        "Check the disk of the data directory and, if replication is synchronous, the standbys.",
    )
    .report(PgLogLevel::WARNING);
}

/// The wall clock was set back.
fn log_step_back(millis: i64) {
    log(
        format!("the wall clock has stepped back by {millis} ms"),
        "Snowflake IDs go on from where they were until it has caught up.",
    );
}

/// The administrator moved the ID clock.
fn log_raise(from: i64, to: i64) {
    log(
        format!("the snowflake ID clock was raised from {} to {}", moment(from), moment(to)),
        "IDs go on from there, at the pace of real time until the wall clock has caught up.",
    );
}

/// Tells the server log, and no client.
fn log(message: String, detail: &str) {
    ErrorReport::new(Code::ERRCODE_SUCCESSFUL_COMPLETION, message, "")
        .set_detail(detail)
        .report(PgLogLevel::LOG_SERVER_ONLY);
}

fn text(Node { datacenter, machine }: Node) -> String {
    format!("datacenter {datacenter}, machine {machine}")
}
