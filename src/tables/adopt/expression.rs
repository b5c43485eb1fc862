//! What PostgreSQL makes of an expression, without evaluating it for any row.

use super::text;
use crate::tables::spi::{self, Param};
use pgrx::PgList;
use pgrx::pg_sys;
use pgrx::pg_sys::errcodes::PgSqlErrorCode as Code;
use pgrx::pg_sys::panic::CaughtError;
use pgrx::prelude::*;
use std::ffi::{CStr, CString};
use std::panic::AssertUnwindSafe;

/// `bigint = bigint`.
const INT8_EQUAL: pg_sys::Oid = pg_sys::Oid::from_u32(410);

/// The part of an SQLSTATE that is its class: the first two characters.
const CLASS: i32 = 0xfff;

/// An expression over a FROM item after parse analysis. It lives as long as the SPI connection.
pub struct Expression {
    node: *mut pg_sys::Node,
    /// Its type.
    pub kind: pg_sys::Oid,
}

impl Expression {
    /// An expression that stands for a value.
    pub fn value(expression: &CStr, source: &CStr) -> Self {
        let query = analyse(&text([c"SELECT ", expression, c" FROM ", source]));
        // SAFETY: the query has one column.
        let node = unsafe {
            let target = PgList::<pg_sys::TargetEntry>::from_pg((*query).targetList).head();
            target.map_or(std::ptr::null_mut(), |target| (*target).expr.cast())
        };
        // SAFETY: the type of an expression or, of null, no type.
        Self { node, kind: unsafe { pg_sys::exprType(node) } }
    }

    /// An expression that is a condition.
    pub fn condition(expression: &CStr, source: &CStr) -> Self {
        let query = analyse(&text([c"SELECT FROM ", source, c" WHERE ", expression]));
        // SAFETY: every SELECT has a join tree.
        Self { node: unsafe { (*(*query).jointree).quals }, kind: pg_sys::BOOLOID }
    }

    /// Whether its value may depend on more than its input.
    pub fn is_mutable(&self) -> bool {
        // SAFETY: an analysed expression.
        unsafe { pg_sys::contain_mutable_functions(self.node) }
    }

    /// Whether the condition is known to be false where the first column of the FROM item, a bigint, has
    /// this value: what the planner knows of the built-in operators, by which it also excludes partitions.
    pub fn excludes(&self, value: i64) -> bool {
        // SAFETY: nodes that PostgreSQL makes, of an operator for the types of its sides.
        unsafe {
            let none = pg_sys::InvalidOid;
            let column = pg_sys::makeVar(1, 1, pg_sys::INT8OID, -1, none, 0);
            let datum = pg_sys::Datum::from(value);
            let value = pg_sys::makeConst(pg_sys::INT8OID, -1, none, 8, datum, false, true);
            let equal = pg_sys::make_opclause(
                INT8_EQUAL,
                pg_sys::BOOLOID,
                false,
                column.cast(),
                value.cast(),
                none,
                none,
            );
            let mut known = PgList::<pg_sys::Expr>::new();
            known.push(equal);
            let condition = pg_sys::make_ands_implicit(self.node.cast());
            pg_sys::predicate_refuted_by(condition, known.into_pg(), false)
        }
    }

    /// Whether it applies an operator of the family, with which an exclusion constraint needs one that
    /// commutes with itself.
    pub fn is_exclusion_of(&self, family: pg_sys::Oid) -> bool {
        // SAFETY: an operator's node is looked into only if it is one.
        unsafe {
            if self.node.is_null() || (*self.node).type_ != pg_sys::NodeTag::T_OpExpr {
                return false;
            }
            let operator = (*self.node.cast::<pg_sys::OpExpr>()).opno;
            pg_sys::op_in_opfamily(operator, family) && pg_sys::get_commutator(operator) == operator
        }
    }
}

/// The one row of a query that qualifies every name, under the search_path of the caller.
pub fn look_up(query: &CStr) -> Option<CString> {
    let row: Option<spi::Row<1>> = spi::current_rows(query, &[]).pop();
    row.and_then(|[text]| text)
}

/// Parses and analyses a SELECT, under the search_path of the caller: nothing is planned or executed.
fn analyse(query: &CStr) -> *mut pg_sys::Query {
    // SAFETY: a valid C string; a plan for a SELECT has one source with one query.
    unsafe {
        let plan = pg_sys::SPI_prepare(query.as_ptr(), 0, std::ptr::null_mut());
        let sources = pg_sys::SPI_plan_get_plan_sources(plan);
        let source = PgList::<pg_sys::CachedPlanSource>::from_pg(sources).head();
        let queries = source.map(|source| PgList::<pg_sys::Query>::from_pg((*source).query_list));
        queries.and_then(|queries| queries.head()).unwrap_or_else(|| {
            pgrx::error!("a statement could not be analysed");
        })
    }
}

/// Executes a query under a search_path of `pg_catalog` alone.
pub fn evaluate(query: &CStr, id: i64) -> Option<CString> {
    let row: Option<spi::Row<1>> = spi::rows(query, &[Param::bigint(Some(id))]).pop();
    row.and_then(|[text]| text)
}

/// Does something that leaves nothing behind: it happens in a subtransaction that is rolled back. If an
/// expression is at fault, returns the message of the error.
pub fn attempt<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // SAFETY: as PL/pgSQL's blocks with EXCEPTION: memory and resources are the caller's before and after.
    unsafe {
        let context = pg_sys::CurrentMemoryContext;
        let owner = pg_sys::CurrentResourceOwner;
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::MemoryContextSwitchTo(context);
        let back = move || {
            pg_sys::MemoryContextSwitchTo(context);
            pg_sys::RollbackAndReleaseCurrentSubTransaction();
            pg_sys::MemoryContextSwitchTo(context);
            pg_sys::CurrentResourceOwner = owner;
        };
        PgTryBuilder::new(AssertUnwindSafe(|| {
            let result = work();
            back();
            Ok(result)
        }))
        // Whatever the error is: who catches it further out takes the subtransaction for their own.
        .catch_others(move |error| {
            back();
            fault(&error).map_or_else(|| error.rethrow(), Err)
        })
        .catch_rust_panic(move |panic| {
            back();
            panic.rethrow()
        })
        .execute()
    }
}

/// The message, if the error is one that an expression makes: a feature that is not supported, a value,
/// a name or a type that does not fit, or a right that is missing. A cancelled statement is none.
fn fault(error: &CaughtError) -> Option<String> {
    let (CaughtError::PostgresError(report) | CaughtError::ErrorReport(report)) = error else {
        return None;
    };
    let class = |code: Code| code as i32 & CLASS;
    [
        Code::ERRCODE_FEATURE_NOT_SUPPORTED,
        Code::ERRCODE_CARDINALITY_VIOLATION,
        Code::ERRCODE_DATA_EXCEPTION,
        Code::ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION,
        Code::ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION,
    ]
    .map(class)
    .contains(&class(report.sql_error_code()))
    .then(|| spi::readable_message(report.message()))
}
