//! `snowflake_adopt()`: an existing integer key becomes `bigint DEFAULT snowflake_nextval()`.
//!
//! The catalog queries in `adopt/*.sql` find out what there is to do and what stands in the way. Here
//! is the order of events: everything is checked before anything is changed.

mod refusal;

use super::spi::{self, Param};
use crate::server;
use pgrx::prelude::*;
use std::collections::HashSet;
use std::ffi::{CStr, CString};

/// The query in files of `adopt/`, one after the other.
macro_rules! query {
    ($($file:literal),+) => {{
        const TEXT: &str = concat!($(include_str!(concat!("adopt/", $file, ".sql"))),+, "\0");
        const QUERY: &CStr = match CStr::from_bytes_with_nul(TEXT.as_bytes()) {
            Ok(query) => query,
            Err(_) => unreachable!(),
        };
        QUERY
    }};
}

/// `snowflake_adopt(rel, col, report_only)`: makes a key a bigint that defaults to
/// `snowflake_nextval()`, or only says how.
#[pg_extern(sql = false)]
fn snowflake_adopt(
    rel: Option<pg_sys::Oid>,
    col: Option<&CStr>,
    report_only: Option<bool>,
    call: pg_sys::FunctionCallInfo,
) {
    let rel = rel.unwrap_or_else(|| refusal::null("rel").raise());
    let report_only = report_only.unwrap_or_else(|| refusal::null("report_only").raise());
    // SAFETY: PostgreSQL passes a valid call, with what it has looked up of the function.
    let function = unsafe { (*(*call).flinfo).fn_oid };
    Spi::connect_mut(|_| adopt(&Request { rel, col, default: default_of(function) }, report_only));
}

fn adopt(request: &Request, report_only: bool) {
    let plan = if report_only { request.plan() } else { request.plan_locked() };
    if plan.changes() {
        check_values(&plan.column, &plan.greatest);
    }
    for step in &plan.steps {
        step.take(report_only);
    }
    if !plan.changes() {
        say("nothing to do for ", &plan.column);
    }
}

/// What the caller asks for.
struct Request<'a> {
    rel: pg_sys::Oid,
    col: Option<&'a CStr>,
    /// The expression that becomes the default.
    default: CString,
}

/// What is to be done, with no obstacle in sight.
struct Plan {
    /// The column that is adopted.
    column: CString,
    /// The query for its greatest value, if that is not below `$1`.
    greatest: CString,
    /// The tables that change.
    tables: Vec<pg_sys::Oid>,
    steps: Vec<Step>,
}

enum Step {
    /// A statement to execute.
    Statement(CString),
    /// Something to know.
    Note(CString),
}

impl Request<'_> {
    /// Finds out what to do, or refuses.
    fn plan(&self) -> Plan {
        let params = [Param::oid(self.rel), Param::text(self.col)];
        let found = spi::rows(query!("target"), &params).pop();
        let [kind, subject, fact, number, greatest] =
            found.unwrap_or_else(|| refusal::no_relation(self.rel).raise());
        let subject = subject.unwrap_or_default();
        if let Some(kind) = kind {
            refusal::of_target(&kind, &subject, &fact.unwrap_or_default()).raise();
        }
        let params = || [Param::oid(self.rel), Param::text(number.as_deref())];
        if let Some([kind, facts]) = spi::rows(query!("columns", "obstacles"), &params()).pop() {
            refusal::of_change(&kind.unwrap_or_default(), &facts.unwrap_or_default()).raise();
        }
        let tables = spi::rows(query!("columns", "tables"), &params());
        let [rel, number] = params();
        let params = [rel, number, Param::text(Some(&self.default))];
        let steps = spi::rows(query!("columns", "plan"), &params);
        Plan {
            column: subject,
            greatest: greatest.unwrap_or_default(),
            tables: tables
                .iter()
                .filter_map(|[oid]| spi::number::<u32>(oid.as_deref()))
                .map(pg_sys::Oid::from)
                .collect(),
            steps: steps.into_iter().map(Step::new).collect(),
        }
    }

    /// Does so with all tables that change locked, if any does. A table whose lock was waited for may
    /// have got others that reference it meanwhile; when it is locked, it gets no more.
    fn plan_locked(&self) -> Plan {
        let mut locked = HashSet::new();
        loop {
            let plan = self.plan();
            let new: Vec<_> = plan.tables.iter().filter(|table| locked.insert(**table)).collect();
            if new.is_empty() || !plan.changes() {
                return plan;
            }
            for table in new {
                // SAFETY: any number is fine. Nothing waits for it who does not own the table.
                unsafe { pg_sys::LockRelationOid(*table, pg_sys::AccessExclusiveLock as i32) };
            }
        }
    }
}

impl Plan {
    fn changes(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Statement(_)))
    }
}

impl Step {
    fn new([is_statement, text]: spi::Row<2>) -> Self {
        let text = text.unwrap_or_default();
        if is_true(is_statement.as_deref()) { Self::Statement(text) } else { Self::Note(text) }
    }

    fn take(&self, report_only: bool) {
        match self {
            Self::Note(text) => spi::notice(text),
            Self::Statement(text) if report_only => say("would execute: ", text),
            Self::Statement(text) => {
                spi::execute(text);
                say("executed: ", text);
            }
        }
    }
}

/// The default to set, which the caller has to be allowed to use.
fn default_of(function: pg_sys::Oid) -> CString {
    let found = spi::rows(query!("nextval"), &[Param::oid(function)]).pop();
    let [default, usable] = found.unwrap_or_else(|| refusal::no_nextval().raise());
    if !is_true(usable.as_deref()) {
        refusal::nextval_denied().raise();
    }
    default.unwrap_or_default()
}

/// Refuses if an ID could equal a value that is there, now or when the sequence was to reach it.
fn check_values(column: &CStr, greatest: &CStr) {
    let next = server::next().unwrap_or_else(|refusal| refusal.raise());
    if let Some([value]) = spi::rows(greatest, &[Param::bigint(Some(next))]).pop() {
        refusal::value(column, &value.unwrap_or_default(), next).raise();
    }
}

fn say(prefix: &str, text: &CStr) {
    let message = [prefix.as_bytes(), text.to_bytes()].concat();
    spi::notice(&CString::new(message).unwrap_or_default());
}

fn is_true(text: Option<&CStr>) -> bool {
    text == Some(c"true")
}

extension_sql_file!("../../sql/adopt.sql", name = "adopt", requires = ["functions"]);
