//! SQL that is put together at run time, from names.
//!
//! Names may be in an encoding that Rust's strings cannot hold, so the server itself puts them into the
//! statement, by `format()`, and the text stays where the server made it. All of it runs with the caller's
//! rights; the functions that call this have a `search_path` of their own.

use pgrx::prelude::*;
use std::ffi::{CStr, c_char};

/// An argument of a statement: its type, and its value or null.
pub type Argument = (pg_sys::Oid, Option<pg_sys::Datum>);

/// One row of a result: its columns, counted from 0.
pub struct Columns {
    tuple: pg_sys::HeapTuple,
    descriptor: pg_sys::TupleDesc,
}

impl Columns {
    /// The value of a column; none where it is null.
    pub fn get<T: FromDatum>(&self, column: i32) -> Option<T> {
        // SAFETY: the datum is that of a value.
        self.datum(column).and_then(|datum| unsafe { T::from_datum(datum, false) })
    }

    /// The same as PostgreSQL has it, for as long as the connection lives.
    pub fn datum(&self, column: i32) -> Option<pg_sys::Datum> {
        let mut is_null = true;
        // SAFETY: tuple and descriptor belong together and live until the connection ends; for a
        // column that is not there, the answer is null.
        let datum =
            unsafe { pg_sys::SPI_getbinval(self.tuple, self.descriptor, column + 1, &mut is_null) };
        (!is_null).then_some(datum)
    }
}

/// A statement, in the encoding of the database, for as long as the connection lives.
#[derive(Clone, Copy)]
pub struct Statement(*const c_char);

impl From<&'static CStr> for Statement {
    fn from(text: &'static CStr) -> Self {
        Self(text.as_ptr())
    }
}

/// A connection to the server that this code runs in.
pub struct Connection {
    /// Whether statements see what the calling statement sees, and nothing newer.
    read_only: bool,
}

/// Lends a connection. With `read_only`, statements see what the calling statement sees; else what has
/// been committed by their start.
pub fn connect<R>(read_only: bool, work: impl FnOnce(&Connection) -> R) -> R {
    Spi::connect_mut(|_| work(&Connection { read_only }))
}

impl Connection {
    /// Has the server make a statement: the query returns its text.
    pub fn make(&self, query: &'static CStr, arguments: &[Argument]) -> Option<Statement> {
        let text = self.rows(query, arguments, |row| row.get::<Text>(0)).pop()??;
        Some(Statement(text.0))
    }

    /// Runs a statement and collects what becomes of its rows.
    pub fn rows<R>(
        &self,
        statement: impl Into<Statement>,
        arguments: &[Argument],
        each: impl Fn(&Columns) -> R,
    ) -> Vec<R> {
        self.run(statement, arguments);
        // SAFETY: after a statement the table is either null or holds as many tuples as the server
        // says, all of the table's descriptor.
        unsafe {
            let table = pg_sys::SPI_tuptable;
            if table.is_null() {
                return Vec::new();
            }
            let tuples = std::slice::from_raw_parts((*table).vals, (*table).numvals as usize);
            let descriptor = (*table).tupdesc;
            tuples.iter().map(|&tuple| each(&Columns { tuple, descriptor })).collect()
        }
    }

    /// Runs a statement.
    pub fn run(&self, statement: impl Into<Statement>, arguments: &[Argument]) {
        let (mut types, (mut values, nulls)): (Vec<_>, (Vec<_>, Vec<_>)) = arguments
            .iter()
            .map(|&(kind, value)| {
                let null = if value.is_some() { b' ' } else { b'n' };
                (kind, (value.unwrap_or(pg_sys::Datum::null()), null.cast_signed()))
            })
            .unzip();
        // SAFETY: connected; the statement is a C string, and the arrays are of one length. What is
        // wrong with the statement is raised as an ERROR.
        unsafe {
            pg_sys::SPI_execute_with_args(
                statement.into().0,
                arguments.len() as i32,
                types.as_mut_ptr(),
                values.as_mut_ptr(),
                nulls.as_ptr(),
                self.read_only,
                0,
            );
        }
    }
}

/// A `text` as a C string, in the memory of the connection.
struct Text(*const c_char);

impl FromDatum for Text {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _: pg_sys::Oid,
    ) -> Option<Self> {
        // SAFETY: the caller says that this is a text.
        (!is_null).then(|| Self(unsafe { pg_sys::text_to_cstring(datum.cast_mut_ptr()) }))
    }
}

/// A `name` argument as PostgreSQL passes it: a C string in the encoding of the database.
pub fn name(name: &CStr) -> Argument {
    (pg_sys::NAMEOID, Some(pg_sys::Datum::from(name.as_ptr())))
}

/// A relation.
pub fn relation(oid: pg_sys::Oid) -> Argument {
    (pg_sys::REGCLASSOID, oid.into_datum())
}

/// A `bigint`.
pub fn bigint(number: i64) -> Argument {
    (pg_sys::INT8OID, number.into_datum())
}
