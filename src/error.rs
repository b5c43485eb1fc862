//! Every refusal with its SQLSTATE, message, DETAIL and HINT.

use crate::guc::Rejected;
use crate::machine::Found;
use pgrx::pg_sys::elog::PgLogLevel;
pub use pgrx::pg_sys::errcodes::PgSqlErrorCode as Code;
use pgrx::pg_sys::panic::ErrorReport;
use snowflake_core::{
    Epoch, IdError, Layout, LayoutError, MIN_TIMESTAMP_BITS, Obstacle, Origin, PAYLOAD_BITS,
    Section, SectionError, Space, TextError, TextForm,
};

mod argument;
mod event;
mod machine;
mod obstacle;

pub use event::{log_event, warn_of_end, warn_of_unreadable_lease};
pub use machine::warn_of_first_of_a_group;
pub use obstacle::delay_text;

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
    /// `machine_id` is set, and so is where else it would come from.
    MachineTwice(Origin),
    /// There is no number where the machine id comes from.
    NoMachineFound(Found),
    /// The number there is greater than the section allows.
    MachineFound { found: Found, max: u64 },
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
    /// Only superusers raise the ID clock.
    NotSuperuser,
    /// The ID is further ahead than the ID clock can be raised.
    Raise(i64),
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
            Self::MachineUnset => machine::unset(),
            Self::MachineTwice(origin) => machine::set_twice(origin),
            Self::NoMachineFound(found) => machine::not_found(found),
            Self::MachineFound { found, max } => machine::out_of_range(found, *max),
            Self::Node(section) => node(section),
            Self::Obstacle(obstacle) => obstacle::report(*obstacle),
            Self::Id(IdError::Negative(id)) => argument::negative(*id),
            Self::Id(IdError::Time(id)) | Self::Timestamp(id) => argument::timestamp(*id),
            Self::JsonTime(id) => argument::json_time(*id),
            Self::Moment { micros, space } => argument::moment(*micros, *space),
            Self::Part { section, value, layout } => argument::part(*section, *value, *layout),
            Self::Text { form, error } => argument::text(*form, *error),
            Self::EmptyRange { from, to } => argument::empty_range(*from, *to),
            Self::Count { n, max } => argument::count(*n, *max),
            Self::NotSuperuser => argument::not_superuser(),
            Self::Raise(id) => argument::raise(*id),
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

/// An error as the operating system says it, without Rust's addition.
pub fn system_error(error: std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
