//! Which column of a row has the IDs.

use super::super::spi::readable;
use super::row::Row;
use crate::error::{Code, Report};
use pgrx::PgList;
use pgrx::prelude::*;
use std::ffi::{CStr, CString, c_char};

/// A virtual generated column is never stored; PostgreSQL has these since version 18.
const VIRTUAL: c_char = b'v' as c_char;

/// More than any name in double quotes: an argument of any length is not copied.
const LONGEST: usize = 2 * pg_sys::NAMEDATALEN as usize;

impl Row {
    /// The number of the column that an argument names, as it is or in double quotes.
    pub fn column_named(&self, text: &CStr) -> Option<i32> {
        if text.count_bytes() > LONGEST {
            return None;
        }
        let quoted = unquoted(text);
        self.column(quoted.as_deref().unwrap_or(text))
    }

    /// The number of the primary key's only column.
    pub fn primary_key(&self) -> i32 {
        primary_key(self.relation).unwrap_or_else(|| {
            let function = self.function;
            Report::new(
                Code::ERRCODE_UNDEFINED_COLUMN,
                format!("{function}() does not know which column has the IDs"),
                format!(
                    "Relation \"{}\" has no primary key of one column.",
                    readable(&self.relation_name())
                ),
                format!("Name the column in the trigger's arguments: {function}('column')."),
            )
            .raise()
        })
    }

    /// Refuses a column that has no IDs, or none yet.
    pub fn check(&self, column: i32) {
        // SAFETY: the column is one of the descriptor's.
        let (kind, generated) = unsafe {
            let kind = pg_sys::getBaseType(pg_sys::SPI_gettypeid(self.descriptor(), column));
            (kind, pg_sys::get_attgenerated(self.relation(), column as i16))
        };
        let function = self.function;
        if kind != pg_sys::INT8OID {
            Report::new(
                Code::ERRCODE_DATATYPE_MISMATCH,
                format!("{function}() looks at columns of type bigint only"),
                "Snowflake IDs are stored as bigint.",
                "",
            )
            .raise();
        }
        if generated == VIRTUAL {
            Report::new(
                Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                format!("{function}() cannot see a virtual generated column"),
                "It has no value until a query reads it.",
                "Make it a stored column, and the trigger an AFTER trigger.",
            )
            .raise();
        }
        if self.is_before && generated != 0 {
            Report::new(
                Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                format!("{function}() cannot see a generated column before the row is stored"),
                "It has no value yet.",
                "Make it an AFTER trigger.",
            )
            .raise();
        }
    }
}

/// The name in double quotes, as SQL writes it.
fn unquoted(text: &CStr) -> Option<CString> {
    let name = text.to_bytes().strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut bytes = name.iter().copied().peekable();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        plain.push(byte);
        if byte == b'"' {
            bytes.next_if_eq(&b'"');
        }
    }
    CString::new(plain).ok()
}

/// The only column of the primary key. `RelationGetIndexAttrBitmap()` leaves out a key that is deferrable, up to
/// PostgreSQL 16.
fn primary_key(relation: pg_sys::Relation) -> Option<i32> {
    // SAFETY: the relation is open, and its indexes with it. A row of pg_index begins with its form, which has
    // as many columns as it says, one at least.
    unsafe {
        let indexes = PgList::<()>::from_pg(pg_sys::RelationGetIndexList(relation));
        (0..indexes.len()).filter_map(|position| indexes.get_oid(position)).find_map(|index| {
            let cache = pg_sys::SysCacheIdentifier::INDEXRELID as i32;
            let tuple = pg_sys::SearchSysCache1(cache, index.into());
            if tuple.is_null() {
                return None;
            }
            let index = &*pg_sys::GETSTRUCT(tuple).cast::<pg_sys::FormData_pg_index>();
            let column = i32::from(*index.indkey.values.as_ptr());
            let is_key = index.indisprimary && index.indnkeyatts == 1;
            pg_sys::ReleaseSysCache(tuple);
            is_key.then_some(column)
        })
    }
}
