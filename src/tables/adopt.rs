//! `snowflake_adopt()`: an existing integer key becomes `bigint DEFAULT snowflake_nextval()`.
//!
//! The catalog queries in `adopt/*.sql` find out what there is to do and what stands in the way. Here
//! is the order of events: everything is checked before anything is changed. It is done as the table's owner, in
//! a restricted context, because checks and statements run code of that role: index functions, CHECK constraints.

mod expression;
mod fit;
mod rebuild;
mod refusal;

use super::owner::{Context, acting_as};
use super::spi::{self, Param, query};
use super::{given, no_relation, prevent_if_read_only};
use crate::server;
use pgrx::iter::SetOfIterator;
use pgrx::prelude::*;
use std::collections::HashSet;
use std::ffi::{CStr, CString};

/// `snowflake_adopt(relation, column_name, dry_run)`: makes a key a bigint that defaults to
/// `snowflake_nextval()`, or only finds out how. Returns the statements for that.
///
/// They are texts in the encoding of the database; pgrx would have them be UTF-8. A bytea has the same form.
#[pg_extern(sql = false)]
fn snowflake_adopt_statements(
    relation: Option<pg_sys::Oid>,
    column_name: Option<&CStr>,
    dry_run: Option<bool>,
    call: pg_sys::FunctionCallInfo,
) -> SetOfIterator<'static, Vec<u8>> {
    let relation = given("relation", relation);
    let dry_run = given("dry_run", dry_run);
    if !dry_run {
        prevent_if_read_only(c"snowflake_adopt()");
    }
    // SAFETY: PostgreSQL passes a valid call, with what it has looked up of the function.
    let function = unsafe { (*(*call).flinfo).fn_oid };
    let statements = Spi::connect_mut(|_| {
        let request = Request { relation, column_name, default: default_of(function) };
        // Refuses a caller without the owner's rights.
        let owner = request.column().owner;
        acting_as(owner, Context::Restricted, || {
            // The owner's inserts take IDs, too.
            default_of(function);
            adopt(&request, dry_run)
        })
    });
    SetOfIterator::new(statements.into_iter().map(CString::into_bytes))
}

fn adopt(request: &Request, dry_run: bool) -> Vec<CString> {
    let plan = if dry_run { request.plan() } else { request.plan_locked() };
    let notes =
        if plan.changes() { plan.check(dry_run) } else { vec![skipping(&plan.column.name)] };
    for note in plan.notes.iter().chain(&notes) {
        spi::notice(note);
    }
    if !dry_run {
        plan.statements.iter().for_each(|statement| spi::execute(statement));
    }
    plan.statements
}

/// What the caller asks for.
struct Request<'a> {
    relation: pg_sys::Oid,
    column_name: Option<&'a CStr>,
    /// The expression that becomes the default.
    default: CString,
}

/// The column that is adopted.
struct Column {
    relation: pg_sys::Oid,
    /// The role that the table belongs to.
    owner: pg_sys::Oid,
    number: Option<CString>,
    /// As messages have it, in the encoding of the database.
    name: CString,
    /// The query for its greatest value, if that is not below `$1`.
    greatest: CString,
}

/// What is to be done, with no obstacle that the catalogs tell of.
struct Plan {
    column: Column,
    /// The tables that change.
    tables: Vec<pg_sys::Oid>,
    statements: Vec<CString>,
    /// What is worth knowing.
    notes: Vec<CString>,
}

impl Request<'_> {
    /// Finds out what to do, or refuses.
    fn plan(&self) -> Plan {
        let column = self.column();
        if let Some([kind, facts]) = spi::rows(
            query!("adopt/columns.sql", "adopt/sequences.sql", "adopt/obstacles.sql"),
            &column.params(),
        )
        .pop()
        {
            refusal::of_change(&kind.unwrap_or_default(), &facts.unwrap_or_default()).raise();
        }
        let tables = spi::rows(query!("adopt/columns.sql", "adopt/tables.sql"), &column.params());
        let tables = tables.iter().map(|[oid]| spi::oid(oid.as_deref())).collect();
        let [relation, number] = column.params();
        let params = [relation, number, Param::text(Some(&self.default))];
        let mut plan = Plan { column, tables, statements: Vec::new(), notes: Vec::new() };
        for [is_statement, text] in
            spi::rows(query!("adopt/columns.sql", "adopt/sequences.sql", "adopt/plan.sql"), &params)
        {
            let list = if is_true(is_statement.as_deref()) {
                &mut plan.statements
            } else {
                &mut plan.notes
            };
            list.push(text.unwrap_or_default());
        }
        plan
    }

    fn column(&self) -> Column {
        let params = [Param::oid(self.relation), Param::text(self.column_name)];
        let found = spi::rows(query!("adopt/target.sql"), &params).pop();
        let [kind, subject, fact, number, greatest, owner] =
            found.unwrap_or_else(|| no_relation(self.relation).raise());
        let name = subject.unwrap_or_default();
        if let Some(kind) = kind {
            refusal::of_target(&kind, &name, &fact.unwrap_or_default()).raise();
        }
        let greatest = greatest.unwrap_or_default();
        let owner = spi::oid(owner.as_deref());
        Column { relation: self.relation, owner, number, name, greatest }
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

impl Column {
    /// The parameters of the queries that begin with `columns.sql`.
    fn params(&self) -> [Param; 2] {
        [Param::oid(self.relation), Param::text(self.number.as_deref())]
    }

    /// Refuses if an ID could equal a value that is there, now or when the sequence was to reach it.
    fn check_values(&self, next: i64) {
        if let Some([value]) = spi::current_rows(&self.greatest, &[Param::bigint(Some(next))]).pop()
        {
            refusal::value(&self.name, &value.unwrap_or_default(), next).raise();
        }
    }
}

impl Plan {
    fn changes(&self) -> bool {
        !self.statements.is_empty()
    }

    /// Refuses what the statements would fail at, and what would make every INSERT fail afterwards.
    /// Returns what there is to know about that.
    fn check(&self, dry_run: bool) -> Vec<CString> {
        self.tables.iter().for_each(|table| refuse_in_use(*table));
        rebuild::check(&self.column);
        let next = if dry_run { server::upcoming() } else { server::next() };
        let next = next.unwrap_or_else(|refusal| refusal.raise());
        self.column.check_values(next);
        fit::check(&self.column, next)
    }
}

/// Refuses as ALTER TABLE does if this session has a cursor on the table, or deferred triggers of it.
fn refuse_in_use(table: pg_sys::Oid) {
    // SAFETY: a table that is gone is null, and the lock is held only while it is looked at.
    unsafe {
        let relation = pg_sys::try_relation_open(table, pg_sys::AccessShareLock as i32);
        if !relation.is_null() {
            pg_sys::CheckTableNotInUse(relation, c"ALTER TABLE".as_ptr());
            pg_sys::relation_close(relation, pg_sys::AccessShareLock as i32);
        }
    }
}

/// The default to set, which the present role has to be allowed to use.
fn default_of(function: pg_sys::Oid) -> CString {
    let found = spi::rows(query!("adopt/nextval.sql"), &[Param::oid(function)]).pop();
    let [default, usable] = found.unwrap_or_else(|| refusal::no_nextval().raise());
    if !is_true(usable.as_deref()) {
        refusal::nextval_denied().raise();
    }
    default.unwrap_or_default()
}

fn skipping(column: &CStr) -> CString {
    text([c"column ", column, c" has been adopted already, skipping"])
}

fn is_true(text: Option<&CStr>) -> bool {
    text == Some(c"true")
}

/// The parts put together, in the encoding of the database.
fn text<const N: usize>(parts: [&CStr; N]) -> CString {
    CString::new(parts.map(CStr::to_bytes).concat()).unwrap_or_default()
}
