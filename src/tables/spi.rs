//! SQL from inside, in the encoding of the database: pgrx converts text to UTF-8, and panics where
//! it is not. Names of tables may be anything. Errors of PostgreSQL's pass through as they are.

use crate::error::Report;
use pgrx::pg_sys;
use pgrx::pg_sys::errcodes::PgSqlErrorCode as Code;
use pgrx::prelude::*;
use std::ffi::{CStr, CString, c_char, c_int};
use std::str::FromStr;

/// The query in files beside the calling one, one after the other.
macro_rules! query {
    ($($file:literal),+) => {{
        const TEXT: &str = concat!($(include_str!($file)),+, "\0");
        const QUERY: &std::ffi::CStr = match std::ffi::CStr::from_bytes_with_nul(TEXT.as_bytes()) {
            Ok(query) => query,
            Err(_) => unreachable!(),
        };
        QUERY
    }};
}
pub(crate) use query;

/// A parameter of a query: its type and its value, null if there is none.
pub struct Param(pg_sys::Oid, Option<pg_sys::Datum>);

impl Param {
    /// An OID.
    pub fn oid(value: pg_sys::Oid) -> Self {
        Self(pg_sys::OIDOID, value.into_datum())
    }

    /// A bigint, or null.
    pub fn bigint(value: Option<i64>) -> Self {
        Self(pg_sys::INT8OID, value.into_datum())
    }

    /// A timestamptz, in microseconds since 2000.
    pub fn timestamptz(value: i64) -> Self {
        Self(pg_sys::TIMESTAMPTZOID, value.into_datum())
    }

    /// A text, or null.
    pub fn text(value: Option<&CStr>) -> Self {
        // SAFETY: copies a valid C string into memory that lives as long as the SPI connection.
        let copy = |text: &CStr| unsafe { pg_sys::cstring_to_text(text.as_ptr()) };
        Self(pg_sys::TEXTOID, value.map(|text| copy(text).into()))
    }
}

/// One row of a result, as texts.
pub type Row<const N: usize> = [Option<CString>; N];

/// The rows of a query whose columns are `N` texts, for queries of the catalogs. They are those of this moment:
/// what other transactions have committed is seen whatever the isolation level of this one, as by ALTER TABLE.
/// Names are those of `pg_catalog`, whatever search_path the caller has. Runs in an SPI connection, also while
/// parallel workers run.
pub fn rows<const N: usize>(query: &CStr, params: &[Param]) -> Vec<Row<N>> {
    rows_in_zone(None, query, params)
}

/// The same with the clock times of a time zone, if not of the session's.
pub fn rows_in_zone<const N: usize>(
    zone: Option<&CStr>,
    query: &CStr,
    params: &[Param],
) -> Vec<Row<N>> {
    pinned(zone, || current_rows(query, params))
}

/// Does something that only the names of `pg_catalog` are found by, and the clock times of a time zone, if given.
pub fn pinned<T>(zone: Option<&CStr>, work: impl FnOnce() -> T) -> T {
    // SAFETY: an error drops the settings with the transaction or savepoint that it ends.
    let caller = unsafe { pg_sys::NewGUCNestLevel() };
    set(c"search_path", c"pg_catalog, pg_temp");
    set(c"standard_conforming_strings", c"on");
    if let Some(zone) = zone {
        set(c"TimeZone", zone);
    }
    let result = work();
    // SAFETY: the level that was begun above.
    unsafe { pg_sys::AtEOXact_GUC(true, caller) };
    result
}

/// Changes a setting for as long as the nest level lasts.
fn set(name: &CStr, value: &CStr) {
    // SAFETY: valid C strings.
    unsafe {
        pg_sys::set_config_option(
            name.as_ptr(),
            value.as_ptr(),
            pg_sys::GucContext::PGC_USERSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_SAVE,
            true,
            0,
            false,
        )
    };
}

/// The rows of this moment, under the search_path of the caller, for whatever code of users the query runs: it
/// must qualify every name itself, of operators, functions, types and relations.
pub fn current_rows<const N: usize>(query: &CStr, params: &[Param]) -> Vec<Row<N>> {
    // SAFETY: the snapshot has to see what this transaction has done. While parallel workers run it does nothing,
    // and may neither begin a command nor call GetLatestSnapshot(). An error drops the snapshot with the
    // transaction or savepoint that it ends.
    unsafe {
        if !pg_sys::IsInParallelMode() {
            pg_sys::CommandCounterIncrement();
        }
        pg_sys::PushActiveSnapshot(pg_sys::GetCatalogSnapshot(pg_sys::InvalidOid));
        let rows = visible_rows(query, params);
        pg_sys::PopActiveSnapshot();
        rows
    }
}

/// The same, but the rows that the calling statement sees.
pub fn visible_rows<const N: usize>(query: &CStr, params: &[Param]) -> Vec<Row<N>> {
    let mut types: Vec<_> = params.iter().map(|Param(kind, _)| *kind).collect();
    let mut values: Vec<_> =
        params.iter().map(|Param(_, value)| value.unwrap_or(pg_sys::Datum::null())).collect();
    let nulls: Vec<_> =
        params.iter().map(|Param(_, value)| if value.is_some() { b' ' } else { b'n' }).collect();
    // SAFETY: the arrays are as long as told. "Read-only" has SPI use the snapshot that is active.
    unsafe {
        let (types, values) = (types.as_mut_ptr(), values.as_mut_ptr());
        let (nulls, count) = (nulls.as_ptr().cast::<c_char>(), params.len() as c_int);
        let query = query.as_ptr();
        check(pg_sys::SPI_execute_with_args(query, count, types, values, nulls, true, 0));
        fetch()
    }
}

/// A number that a query has returned as text.
pub fn number<T: FromStr>(text: Option<&CStr>) -> Option<T> {
    text?.to_str().ok()?.parse().ok()
}

/// An OID that a query has returned as text, or that of nothing.
pub fn oid(text: Option<&CStr>) -> pg_sys::Oid {
    number::<u32>(text).map_or(pg_sys::InvalidOid, pg_sys::Oid::from)
}

/// The rows of the query that ran last, as texts.
///
/// # Safety
/// It has to have returned rows of `N` columns, without an error.
unsafe fn fetch<const N: usize>() -> Vec<Row<N>> {
    // SAFETY: the caller's word; SPI keeps the rows until the connection ends, and SPI_getvalue()
    // returns a new C string or null.
    unsafe {
        let table = pg_sys::SPI_tuptable;
        let rows = std::slice::from_raw_parts((*table).vals, pg_sys::SPI_processed as usize);
        let text = |row, column| {
            let text = pg_sys::SPI_getvalue(row, (*table).tupdesc, column as c_int + 1);
            (!text.is_null()).then(|| CStr::from_ptr(text).to_owned())
        };
        rows.iter().map(|row| std::array::from_fn(|column| text(*row, column))).collect()
    }
}

/// Executes a statement in an SPI connection, under the search_path of the caller: triggers, event triggers
/// and index functions that it sets off find what they find without this library. Names have to be qualified.
pub fn execute(statement: &CStr) {
    // SAFETY: a valid C string.
    check(unsafe { pg_sys::SPI_execute(statement.as_ptr(), false, 0) });
}

/// Errors of a statement are raised by PostgreSQL; what is left is a statement that SPI does not
/// execute, as `COPY`.
fn check(status: c_int) {
    if let Err(error) = Spi::check_status(status) {
        Report::new(
            Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            "a statement could not be executed",
            error.to_string(),
            "",
        )
        .raise()
    }
}

/// Sends a NOTICE.
pub fn notice(message: &CStr) {
    notice_with(message, c"", c"");
}

/// Sends a NOTICE with DETAIL and HINT, which are left out if empty.
pub fn notice_with(message: &CStr, detail: &CStr, hint: &CStr) {
    let text = |text: &CStr| {
        if text.is_empty() { std::ptr::null_mut() } else { text.as_ptr().cast_mut() }
    };
    let mut notice = pg_sys::ErrorData {
        elevel: pg_sys::NOTICE as c_int,
        message: message.as_ptr().cast_mut(),
        detail: text(detail),
        hint: text(hint),
        ..Default::default()
    };
    // SAFETY: everything else is zero, which stands for "not given"; the texts are copied.
    unsafe { pg_sys::ThrowErrorData(&mut notice) };
}

/// A text for an error message, which pgrx has in UTF-8 only: in a database of another encoding,
/// what is not ASCII is shown as question marks.
pub fn readable(text: &CStr) -> String {
    match text.to_str() {
        Ok(text) if database_is_utf8() => text.to_owned(),
        _ => ascii(text.to_bytes().iter().copied().map(char::from)),
    }
}

/// The message of an error that was caught, in the same way.
pub fn readable_message(message: &str) -> String {
    if database_is_utf8() { message.to_owned() } else { ascii(message.chars()) }
}

fn ascii(text: impl Iterator<Item = char>) -> String {
    text.map(|c| if c.is_ascii() { c } else { '?' }).collect()
}

fn database_is_utf8() -> bool {
    // SAFETY: a plain read of what is fixed for the session.
    unsafe { pg_sys::GetDatabaseEncoding() as u32 == pg_sys::pg_enc::PG_UTF8 }
}
