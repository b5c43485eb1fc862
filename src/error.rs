//! Every refusal with its SQLSTATE, message, DETAIL and HINT.

use crate::guc::{Rejected, name};
use crate::lease_file;
use pgrx::pg_sys::elog::PgLogLevel;
pub use pgrx::pg_sys::errcodes::PgSqlErrorCode as Code;
use pgrx::pg_sys::panic::ErrorReport;
use snowflake_core::{
    Epoch, Event, Failure, FloorSource, IdError, Layout, LayoutError, MIN_TIMESTAMP_BITS, Node,
    Obstacle, PAYLOAD_BITS, RecordError, Section, SectionError, Space, TextError, TextForm,
};

mod argument;

/// Why no ID is issued, or none taken apart.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// The library is not preloaded, so there is no shared counter.
    NotPreloaded,
    /// The configuration gives a setting a value that was not accepted.
    Rejected(Rejected),
    /// Too few bits are left for the timestamp.
    Layout(LayoutError),
    /// `machine_id` is not set.
    MachineUnset,
    /// `datacenter_id` or `machine_id` does not fit its section.
    Node(SectionError),
    /// What the core found.
    Obstacle(Obstacle),
    /// The number is not an ID.
    Id(IdError),
    /// The ID's time is beyond the range of `timestamptz`.
    Timestamp(i64),
    /// The ID's time is beyond what JSON has a form for.
    JsonTime(i64),
    /// No ID has this time, in microseconds since 2000 as `timestamptz` counts.
    Moment { micros: i64, space: Space },
    /// A part given for an ID does not fit its section.
    Part { section: Section, value: i32, layout: Layout },
    /// The text is no ID.
    Text { form: TextForm, error: TextError },
    /// A range of time, in microseconds since 2000, that no ID lies in.
    EmptyRange { from: i64, to: i64 },
    /// More IDs than can be had at a time, or less than one.
    Count { n: i64, max: i64 },
    /// Widths given for a foreign ID.
    Width { section: Section, bits: i32 },
    /// Widths given for a foreign ID leave too little for the timestamp.
    Widths(LayoutError),
    /// The epoch given for a foreign ID, in microseconds since 2000.
    Epoch(i64),
}

/// SQLSTATE and the three texts of a report; a text that is empty is left out.
pub struct Report {
    code: Code,
    message: String,
    detail: String,
    hint: String,
}

impl From<Obstacle> for Refusal {
    fn from(obstacle: Obstacle) -> Self {
        Self::Obstacle(obstacle)
    }
}

impl Refusal {
    /// Raises it as an ERROR.
    #[cold]
    pub fn raise(&self) -> ! {
        self.report().raise()
    }

    /// The primary line of it.
    pub fn message(&self) -> String {
        self.report().message
    }

    /// Says in the server log, at start, that nothing will be issued.
    pub fn log_at_start(&self) {
        let report = self.report().explaining("no snowflake IDs will be issued");
        report.report(PgLogLevel::WARNING);
    }

    /// Reports it at the level given. As a WARNING it says in the server log what kept a shutdown, or
    /// replay, from its work.
    pub fn report_as(&self, level: PgLogLevel) {
        self.report().report(level);
    }

    /// SQLSTATE and texts of it.
    pub fn report(&self) -> Report {
        match self {
            Self::NotPreloaded => not_preloaded(),
            Self::Rejected(setting) => rejected(setting),
            Self::Layout(widths) => layout(widths),
            Self::MachineUnset => machine_unset(),
            Self::Node(section) => node(section),
            Self::Obstacle(obstacle) => self::obstacle(*obstacle),
            Self::Id(IdError::Negative(id)) => argument::negative(*id),
            Self::Id(IdError::Time(id)) | Self::Timestamp(id) => argument::timestamp(*id),
            Self::JsonTime(id) => argument::json_time(*id),
            Self::Moment { micros, space } => argument::moment(*micros, *space),
            Self::Part { section, value, layout } => argument::part(*section, *value, *layout),
            Self::Text { form, error } => argument::text(*form, *error),
            Self::EmptyRange { from, to } => argument::empty_range(*from, *to),
            Self::Count { n, max } => argument::count(*n, *max),
            Self::Width { section, bits } => argument::width(*section, *bits),
            Self::Widths(widths) => argument::widths(*widths),
            Self::Epoch(micros) => argument::epoch(*micros),
        }
    }
}

impl Report {
    /// A report; the message is lowercase and has no full stop, detail and hint are sentences.
    pub fn new(
        code: Code,
        message: impl Into<String>,
        detail: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { code, message: message.into(), detail: detail.into(), hint: hint.into() }
    }

    /// Adds a sentence to the detail.
    #[must_use]
    pub fn detailed(mut self, sentence: &str) -> Self {
        if !self.detail.is_empty() {
            self.detail.push(' ');
        }
        self.detail.push_str(sentence);
        self
    }

    /// Puts before the message what it is the reason of.
    #[must_use]
    pub fn explaining(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Raises it as an ERROR.
    #[cold]
    pub fn raise(self) -> ! {
        self.report(PgLogLevel::ERROR);
        unreachable!("an ERROR does not return")
    }

    /// Tells client or log, as the level says.
    pub fn report(self, level: PgLogLevel) {
        let Self { code, message, detail, hint } = self;
        let mut report = ErrorReport::new(code, message, "");
        if !detail.is_empty() {
            report = report.set_detail(detail);
        }
        if !hint.is_empty() {
            report = report.set_hint(hint);
        }
        report.report(level);
    }
}

/// Says in the server log, at start, that the ID space ends in less than five years.
pub fn warn_of_end(space: Space) {
    Report::new(
        Code::ERRCODE_WARNING,
        format!("snowflake IDs run out at {}", last_time(space)),
        section_text(space),
        "Plan the move to a new ID space: see \"When the timestamp runs out\" in the README.",
    )
    .report(PgLogLevel::WARNING);
}

/// Tells the server log, and no client.
fn log(message: String, detail: &str) {
    ErrorReport::new(Code::ERRCODE_SUCCESSFUL_COMPLETION, message, "")
        .set_detail(detail)
        .report(PgLogLevel::LOG_SERVER_ONLY);
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
        Event::OtherSystem { recorded, now } => warn_of_other_system(recorded, now),
        Event::SlowWrite(millis) => warn_of_slow_write(millis),
        Event::Raised { from, to } => log_raise(from, to),
        Event::KeeperFailed(obstacle) => self::obstacle(obstacle).report(PgLogLevel::WARNING),
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
         the wall clock. pg_upgrade leaves the file behind in the old data directory.",
        "Compare with the IDs in tables by snowflake_audit(); if there are later ones, move the ID clock above them by \
         snowflake_raise().",
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

fn text(Node { datacenter, machine }: Node) -> String {
    format!("datacenter {datacenter}, machine {machine}")
}

fn not_preloaded() -> Report {
    Report::new(
        Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        "pg_snowflake must be loaded via \"shared_preload_libraries\"",
        "All sessions take their IDs from one counter in shared memory, which exists only if the \
         library is loaded at server start.",
        "Add pg_snowflake to \"shared_preload_libraries\" in postgresql.conf and restart the \
         server.",
    )
}

fn rejected(setting: &Rejected) -> Report {
    let name = setting.name.to_string_lossy();
    let (message, correct) = if setting.is_setting {
        (format!("the configured value of \"{name}\" was not accepted"), "Correct")
    } else {
        (format!("unrecognized configuration parameter \"{name}\""), "Correct or remove")
    };
    let hint = if setting.at_start && setting.is_reloaded() {
        format!("{correct} \"{name}\" in the server configuration and reload it.")
    } else if setting.at_start {
        format!("{correct} \"{name}\" in the server configuration and restart the server.")
    } else {
        format!(
            "{correct} \"{name}\" in the server configuration or, if a session, role or database has \
             set it, reset it there; then connect again."
        )
    };
    let code = Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
    Report::new(code, message, format!("The value is \"{}\".", setting.value), hint)
}

fn layout(widths: &LayoutError) -> Report {
    Report::new(
        Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        "the snowflake layout leaves too few bits for the timestamp",
        widths_text(*widths),
        "Lower \"pg_snowflake.datacenter_bits\", \"pg_snowflake.machine_bits\" or \
         \"pg_snowflake.sequence_bits\" and restart the server.",
    )
}

fn widths_text(
    LayoutError { datacenter_bits, machine_bits, sequence_bits }: LayoutError,
) -> String {
    let sum = [datacenter_bits, machine_bits, sequence_bits].map(i64::from).iter().sum::<i64>();
    let left = i64::from(PAYLOAD_BITS) - sum;
    format!(
        "datacenter_bits = {datacenter_bits}, machine_bits = {machine_bits} and sequence_bits = \
         {sequence_bits} leave {left} of {PAYLOAD_BITS} bits; the timestamp needs at least \
         {MIN_TIMESTAMP_BITS}."
    )
}

fn machine_unset() -> Report {
    let name = name::MACHINE_ID.to_string_lossy();
    Report::new(
        Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("\"{name}\" is not set"),
        "It has no default on purpose: two servers that share datacenter and machine issue the \
         same IDs.",
        format!("Set \"{name}\" to a number that no other server has and restart the server."),
    )
}

fn node(SectionError { section, value, max }: &SectionError) -> Report {
    let section = Section::name(*section);
    Report::new(
        Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("\"pg_snowflake.{section}_id\" is out of range"),
        format!(
            "{section}_id is {value}; the valid range is 0 to {max}, with {section}_bits = {}.",
            max.count_ones()
        ),
        format!(
            "Choose another \"pg_snowflake.{section}_id\" or, for a new ID space, more \
             \"pg_snowflake.{section}_bits\", and restart the server."
        ),
    )
}

fn obstacle(obstacle: Obstacle) -> Report {
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
         timestamp runs out\" in the README.",
    )
}

fn section_text(space: Space) -> String {
    format!(
        "{} bits of milliseconds since {} end at {}.",
        space.layout.bits(Section::Timestamp),
        space.epoch,
        last_time(space)
    )
}

/// The end of the space.
fn last_time(space: Space) -> String {
    moment(space.last_unix_millis())
}

/// A moment, in milliseconds since 1970; it may lie beyond the calendar.
pub fn moment(unix_millis: i64) -> String {
    Epoch::from_unix_millis(unix_millis).map_or_else(
        || {
            let beyond = if unix_millis < 0 { "before the year 0" } else { "after the year 9999" };
            format!("some time {beyond}")
        },
        |moment| moment.to_string(),
    )
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
    Report::new(
        Code::ERRCODE_DATA_CORRUPTED,
        format!("file \"{name}\" in the data directory is not a valid snowflake lease"),
        format!("In that file, {error}. It says which IDs may have been issued already."),
        "Stop the server and keep it stopped for longer than \"pg_snowflake.max_drift\"; then, only if its \
         clock was never ahead of the present time, remove the file and start the server.",
    )
}

fn lease_file(Failure { step, errno }: Failure) -> Report {
    let code = match errno {
        libc::ENOSPC | libc::EDQUOT => Code::ERRCODE_DISK_FULL,
        libc::EACCES | libc::EPERM | libc::EROFS => Code::ERRCODE_INSUFFICIENT_PRIVILEGE,
        libc::EMFILE | libc::ENFILE => Code::ERRCODE_INSUFFICIENT_RESOURCES,
        libc::EISDIR => Code::ERRCODE_WRONG_OBJECT_TYPE,
        _ => Code::ERRCODE_IO_ERROR,
    };
    let error = std::io::Error::from_raw_os_error(errno).to_string();
    // As the operating system says it, without Rust's addition.
    let error = error.split(" (os error").next().unwrap_or_default();
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
