//! What would keep PostgreSQL from making indexes, constraints, statistics and defaults anew when their
//! column becomes a bigint.
//!
//! ALTER TABLE prints their definitions, and parses and analyses them for the new type. So does this, without
//! the table: expressions are analysed over a subquery that has the columns as they will be, and operator
//! classes are looked up. Trying ALTER TABLE itself, on an empty copy in a subtransaction, would find the same
//! faults, but needs the right to make a table, sets off event triggers, and does not work in a read-only
//! transaction, where a dry run has to. Nothing here is executed, so no code of the owner's runs for a superuser.

use super::expression::{self, Expression, attempt};
use super::{Column, refusal, text};
use crate::tables::spi::{self, Row, query, readable};
use pgrx::pg_sys;
use std::ffi::{CStr, CString};

/// Refuses, and names everything that is at fault.
pub fn check(column: &Column) {
    let defaults = spi::rows(query!("columns.sql", "defaults.sql"), &column.params());
    let probes = spi::rows(query!("columns.sql", "rebuild.sql"), &column.params());
    let faults: Vec<_> = defaults
        .into_iter()
        .filter_map(|[object, default]| {
            let message = default_fault(&default.unwrap_or_default())?;
            Some(named(&object.unwrap_or_default(), &message))
        })
        .chain(probes.into_iter().filter_map(|row| Probe::new(row).fault()))
        .collect();
    if !faults.is_empty() {
        refusal::rebuild(faults).raise();
    }
}

/// Why a default, in the form that PostgreSQL stores it in, is no default of a bigint.
fn default_fault(default: &CStr) -> Option<String> {
    // SAFETY: the text is of the catalog; what it stands for is an expression.
    let kind = unsafe {
        let expression = pg_sys::stringToNode(default.as_ptr()).cast();
        pg_sys::exprType(pg_sys::strip_implicit_coercions(expression))
    };
    let context = pg_sys::CoercionContext::COERCION_ASSIGNMENT;
    // SAFETY: one type each.
    let fits = unsafe { pg_sys::can_coerce_type(1, &kind, &pg_sys::INT8OID, context) };
    (!fits).then(|| format!("type {} cannot be cast automatically to type bigint", type_name(kind)))
}

/// An expression that is analysed again.
struct Probe {
    object: CString,
    query: CString,
    /// What the expression is over, as it will be.
    wide: CString,
    /// The same as it is now, if functions that are not immutable must not come in.
    narrow: Option<CString>,
    is_condition: bool,
    key: Option<Key>,
}

/// What an index, or statistics, needs of a column's type.
struct Key {
    /// The operator class; statistics take the default one.
    class: Option<pg_sys::Oid>,
    method: pg_sys::Oid,
    input: pg_sys::Oid,
    family: pg_sys::Oid,
    exclusion: Option<CString>,
}

impl Probe {
    fn new(row: Row<10>) -> Self {
        let [object, query, wide, narrow, is_condition, class, method, input, family, exclusion] =
            row;
        let oid =
            |text: &Option<CString>| spi::number::<u32>(text.as_deref()).map(pg_sys::Oid::from);
        let key = oid(&method).map(|method| Key {
            class: oid(&class),
            method,
            input: oid(&input).unwrap_or(pg_sys::InvalidOid),
            family: oid(&family).unwrap_or(pg_sys::InvalidOid),
            exclusion,
        });
        Self {
            object: object.unwrap_or_default(),
            query: query.unwrap_or_default(),
            wide: wide.unwrap_or_default(),
            narrow,
            is_condition: super::is_true(is_condition.as_deref()),
            key,
        }
    }

    /// What is at fault, and why.
    fn fault(&self) -> Option<String> {
        let message = match attempt(|| self.judge()) {
            Ok(judgement) => judgement?,
            Err(message) => message,
        };
        Some(named(&self.object, &message))
    }

    fn judge(&self) -> Option<String> {
        let expression = expression::look_up(&self.query)?;
        let analyse = |source: &CStr| {
            let expression = text([c"(", &expression, c")"]);
            if self.is_condition {
                Expression::condition(&expression, source)
            } else {
                Expression::value(&expression, source)
            }
        };
        let new = analyse(&self.wide);
        let old = self.narrow.as_deref().map(analyse);
        // PostgreSQL has planned the old one, which may have taken the functions of before out of it.
        if let Some(old) = &old
            && new.is_mutable()
            && !old.is_mutable()
        {
            return Some("functions must be marked IMMUTABLE".to_owned());
        }
        let old = old.map_or(new.kind, |old| old.kind);
        self.key.as_ref().and_then(|key| key.fault(&expression, &self.wide, old, new.kind))
    }
}

impl Key {
    fn fault(
        &self,
        expression: &CStr,
        source: &CStr,
        old: pg_sys::Oid,
        new: pg_sys::Oid,
    ) -> Option<String> {
        // SAFETY: the types and methods are of the catalog.
        let default = |kind| unsafe { pg_sys::GetDefaultOpClass(kind, self.method) };
        let default_is_missing = default(new) == pg_sys::InvalidOid;
        // Only a class that is not the default of the old type is named when the index is made anew.
        let family = match self.class {
            Some(class) if class != default(old) => {
                // SAFETY: both are types.
                if unsafe { !pg_sys::IsBinaryCoercible(new, self.input) } {
                    let (input, new) = (type_name(self.input), type_name(new));
                    return Some(format!(
                        "an operator class for {input} does not accept data type {new}"
                    ));
                }
                self.family
            }
            _ if default_is_missing => {
                return Some(format!(
                    "data type {} has no default operator class for it",
                    type_name(new)
                ));
            }
            // SAFETY: an operator class.
            _ => unsafe { pg_sys::get_opclass_family(default(new)) },
        };
        let operator = self.exclusion.as_deref()?;
        let compared = text([c"(", expression, c") ", operator, c" (", expression, c")"]);
        (!Expression::value(&compared, source).is_exclusion_of(family)).then(|| {
            format!("{} is no operator for data type {}", readable(operator), type_name(new))
        })
    }
}

fn named(object: &CStr, message: &str) -> String {
    format!("{} ({message})", readable(object))
}

fn type_name(kind: pg_sys::Oid) -> String {
    // SAFETY: a new C string for any OID.
    readable(unsafe { CStr::from_ptr(pg_sys::format_type_be(kind)) })
}
