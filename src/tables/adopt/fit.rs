//! Whether the next ID fits: a CHECK constraint, the bounds of partitions, or a foreign key of the column may
//! have no room for it, and then every INSERT would fail.
//!
//! Who owns a table chooses what its constraints call, and a superuser may adopt it. So all of it happens under a
//! search_path of `pg_catalog`, what is evaluated calls built-in, immutable functions only, and for the
//! rest PostgreSQL is asked what it can prove.

use super::expression::{self, Expression, attempt};
use super::{Column, is_true, refusal, text};
use crate::tables::spi::{self, Row, query, readable};
use std::collections::HashSet;
use std::ffi::{CStr, CString};

/// Refuses, or returns what could not be tried.
pub fn check(column: &Column, next: i64) -> Vec<CString> {
    let rows = spi::rows(query!("columns.sql", "fit.sql"), &column.params());
    let places: Vec<_> = rows.into_iter().map(Place::new).collect();
    let references = names(places.iter().filter(|place| place.is(c"reference")));
    if !references.is_empty() {
        refusal::reference(references).raise();
    }
    let closed = closed(&places, next);
    let full = names(places.iter().filter(|place| place.is_full(&places, &closed)));
    if !full.is_empty() {
        refusal::no_partition(full).raise();
    }
    check_expressions(places.iter().filter(|place| !closed.contains(&place.column)), next)
}

fn check_expressions<'a>(places: impl Iterator<Item = &'a Place>, next: i64) -> Vec<CString> {
    let (mut violated, mut failing, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for place in places {
        match place.try_with(next) {
            Outcome::Fits => {}
            Outcome::Violated => violated.push(readable(&place.object)),
            Outcome::Fails(message) => {
                failing.push(format!("{} ({message})", readable(&place.object)))
            }
            Outcome::Unknown(reason) => unknown.push(not_tried(reason, &place.object)),
        }
    }
    if !violated.is_empty() {
        refusal::violated(violated).raise();
    }
    if !failing.is_empty() {
        refusal::failing(failing).raise();
    }
    unknown
}

fn not_tried(reason: &CStr, object: &CStr) -> CString {
    text([c"not tried with the next ID, as it ", reason, c": ", object])
}

/// The columns of partitions that the ID does not get to.
fn closed(places: &[Place], next: i64) -> HashSet<(u32, u32)> {
    let is_closed = |place: &&Place| {
        let excludes = || place.condition().is_some_and(|condition| condition.excludes(next));
        place.is(c"partition") && spi::pinned(None, || attempt(excludes)).unwrap_or(false)
    };
    places.iter().filter(is_closed).map(|place| place.column).collect()
}

fn names<'a>(places: impl Iterator<Item = &'a Place>) -> Vec<String> {
    places.map(|place| readable(&place.object)).collect()
}

/// Something that the ID has to fit.
struct Place {
    object: CString,
    /// The table and the number of the column.
    column: (u32, u32),
    kind: CString,
    parent: Option<u32>,
    expression: Option<CString>,
    source: CString,
    evaluation: Option<CString>,
    is_built_in: bool,
}

/// What an expression makes of the ID.
enum Outcome {
    Fits,
    Violated,
    Fails(String),
    /// Why it is not tried.
    Unknown(&'static CStr),
}

impl Place {
    fn new(row: Row<9>) -> Self {
        let [object, table, column, kind, parent, expression, source, evaluation, is_built_in] =
            row;
        let number = |text: Option<CString>| spi::number(text.as_deref()).unwrap_or_default();
        Self {
            object: object.unwrap_or_default(),
            column: (number(table), number(column)),
            kind: kind.unwrap_or_default(),
            parent: spi::number(parent.as_deref()),
            expression,
            source: source.unwrap_or_default(),
            evaluation,
            is_built_in: is_true(is_built_in.as_deref()),
        }
    }

    fn is(&self, kind: &CStr) -> bool {
        *self.kind == *kind
    }

    /// Whether it is a partitioned table that the ID gets to, and has partitions, but none for it.
    fn is_full(&self, places: &[Self], closed: &HashSet<(u32, u32)>) -> bool {
        let (table, _) = self.column;
        let mut partitions = places
            .iter()
            .filter(|place| place.is(c"partition") && place.parent == Some(table))
            .peekable();
        self.is(c"partitioned")
            && !closed.contains(&self.column)
            && partitions.peek().is_some()
            && partitions.all(|partition| closed.contains(&partition.column))
    }

    fn condition(&self) -> Option<Expression> {
        let expression = text([c"(", self.expression.as_deref()?, c")"]);
        Some(Expression::condition(&expression, &self.source))
    }

    fn try_with(&self, next: i64) -> Outcome {
        if self.is(c"key") {
            return Outcome::Unknown(c"is an expression");
        }
        let is_check = self.is(c"check");
        if !is_check && !self.is(c"value") {
            return Outcome::Fits;
        }
        spi::pinned(None, || {
            let analysed = attempt(|| {
                let expression = match &self.expression {
                    Some(_) if is_check => self.condition()?,
                    Some(expression) => Expression::value(expression, &self.source),
                    None => return None,
                };
                Some((is_check && expression.excludes(next), expression.is_mutable()))
            });
            match (analysed, &self.evaluation) {
                (Ok(Some((true, _))), _) => Outcome::Violated,
                (_, None) => Outcome::Unknown(c"has other columns, too"),
                (Ok(Some((_, false))), Some(query)) if self.is_built_in => {
                    match attempt(|| expression::evaluate(query, next)) {
                        Ok(value) if is_check && value.as_deref() == Some(c"false") => {
                            Outcome::Violated
                        }
                        Ok(_) => Outcome::Fits,
                        Err(message) => Outcome::Fails(message),
                    }
                }
                _ => Outcome::Unknown(c"calls more than built-in immutable functions"),
            }
        })
    }
}
