//! `snowflake_audit`: whose IDs a table holds.

use super::spi::{self, Param, readable};
use super::{given, no_relation};
use crate::error::{Code, Refusal, Report};
use crate::{clock, node, server, time};
use pgrx::iter::TableIterator;
use pgrx::prelude::*;
use snowflake_core::{Generator, Node, Section, Space};
use std::ffi::{CStr, CString};

/// The IDs of one node, or with no node what is no ID.
type Group = (
    Option<i32>,
    Option<i32>,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<bool>,
    Option<i64>,
);

/// The relation's name, whether rows can be read from it, the type of the column, below its domains, and the
/// statement that reads it.
///
/// That is one pass; nothing is taken apart but the smallest and the greatest ID of each node. OFFSET 0 keeps the
/// planner from taking every row for a group of its own, for which it would sort the table on disk.
///
/// Views and what they call run under the search_path of the caller, so the statement says of each name, also of
/// operators and types, where it is: a schema before `pg_catalog` may have its own.
const COLUMN: &CStr = c"
    WITH RECURSIVE base AS (
        SELECT atttypid AS type FROM pg_attribute
        WHERE attrelid = $1 AND attname = $2::name AND NOT attisdropped
        UNION ALL
        SELECT typbasetype FROM base JOIN pg_type ON oid = type WHERE typtype = 'd'
    )
    SELECT c.relname, c.relkind IN ('r', 'p', 'm', 'v', 'f'), (SELECT bool_or(type = 'bigint'::regtype) FROM base),
        format($statement$
            SELECT pg_catalog.count(*), pg_catalog.min(id), pg_catalog.max(id),
                pg_catalog.count(*) FILTER (WHERE id OPERATOR(pg_catalog.>=) $3),
                pg_catalog.count(*) FILTER (WHERE id OPERATOR(pg_catalog.>=) $4)
            FROM (
                SELECT id, CASE WHEN id OPERATOR(pg_catalog.>=) 0
                    THEN (id OPERATOR(pg_catalog.>>) $1::pg_catalog.int4) OPERATOR(pg_catalog.&) $2
                    ELSE -1 END AS node
                FROM (SELECT %3$I::pg_catalog.int8 AS id FROM %1$I.%2$I) AS column_of_ids
                WHERE id IS NOT NULL OFFSET 0
            ) AS ids
            GROUP BY node ORDER BY node
        $statement$, n.nspname, c.relname, $2)
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = $1";

/// `snowflake_audit(regclass, name)`: one row for each node that the IDs in a column are from.
#[pg_extern(sql = false)]
#[allow(clippy::type_complexity, reason = "pgrx reads the columns here")]
fn snowflake_audit(
    relation: Option<pg_sys::Oid>,
    column_name: Option<&CStr>,
) -> TableIterator<
    'static,
    (
        name!(datacenter, Option<i32>),
        name!(machine, Option<i32>),
        name!(ids, i64),
        name!(first_time, Option<i64>),
        name!(last_time, Option<i64>),
        name!(ahead_of_clock, Option<i64>),
        name!(this_node, Option<bool>),
        name!(not_issued, Option<i64>),
    ),
> {
    let (relation, column_name) = (given("relation", relation), given("column_name", column_name));
    let audit = Audit::begin().unwrap_or_else(|refusal| refusal.raise());
    // Whatever the scan sees was there before the audit began, and its IDs are below the next one.
    let groups = Spi::connect(|_| audit.scan(&statement(relation, column_name)));
    TableIterator::new(groups)
}

/// What the IDs of a table are held against.
struct Audit {
    space: Space,
    now: i64,
    /// This server, and the ID that it will issue next at the earliest.
    this: Option<(Generator, Option<i64>)>,
}

impl Audit {
    fn begin() -> Result<Self, Refusal> {
        let space = node::space()?;
        let this = node::generator().ok().map(|generator| (generator, next_id(&generator)));
        Ok(Self { space, now: clock::wall_millis(), this })
    }

    fn scan(&self, statement: &CStr) -> Vec<Group> {
        let layout = self.space.layout;
        let shift = i64::from(layout.bits(Section::Sequence));
        let nodes = (layout.max(Section::Datacenter) + 1) * (layout.max(Section::Machine) + 1);
        let next = self.this.and_then(|(_, next)| next);
        let params = [Some(shift), Some((nodes - 1).cast_signed()), self.first_ahead(), next];
        spi::visible_rows(statement, &params.map(Param::bigint))
            .iter()
            .map(|row: &spi::Row<5>| {
                self.group(row.each_ref().map(|text| spi::number(text.as_deref()).unwrap_or(0)))
            })
            .collect()
    }

    /// The smallest ID whose time the wall clock has not reached, if there is one.
    fn first_ahead(&self) -> Option<i64> {
        let next = self.now.saturating_add(1).max(self.space.epoch.unix_millis());
        self.space.first_id(next).ok()
    }

    fn group(&self, [ids, first, last, ahead, not_issued]: [i64; 5]) -> Group {
        let Ok(decoded) = self.space.decode(first) else {
            return (None, None, ids, None, None, None, None, None);
        };
        let time =
            |id| self.space.decode(id).ok().and_then(|id| time::from_unix_millis(id.unix_millis));
        let Node { datacenter, machine } = decoded.node;
        let is_this = self.this.map(|(generator, _)| generator.node() == decoded.node);
        // What a foreign table has got since the scan began may be from here, and has been issued by now.
        let next = self.this.and_then(|(generator, before)| before.and(next_id(&generator)));
        let has_others = |next| is_this == Some(true) && last >= next;
        let not_issued = next.map(|next| if has_others(next) { not_issued } else { 0 });
        (
            Some(datacenter.cast_signed()),
            Some(machine.cast_signed()),
            ids,
            time(first),
            time(last),
            Some(ahead),
            is_this,
            not_issued,
        )
    }
}

/// The ID that this server issues next at the earliest; unknown where it cannot issue any.
fn next_id(generator: &Generator) -> Option<i64> {
    let next = server::of(*generator)?.mark().ok()?;
    Some(generator.check(next).map_or(i64::MAX, |()| generator.id(next)))
}

/// The statement that reads the column. Refuses what is not a column of IDs.
fn statement(relation: pg_sys::Oid, column_name: &CStr) -> CString {
    let params = [Param::oid(relation), Param::text(Some(column_name))];
    let Some([name, is_readable, is_bigint, statement]) = spi::rows(COLUMN, &params).pop() else {
        no_relation(relation).raise()
    };
    let (relation, column) = (readable(&name.unwrap_or_default()), readable(column_name));
    if is_readable.as_deref() != Some(c"t") {
        refuse(
            Code::ERRCODE_WRONG_OBJECT_TYPE,
            format!("relation \"{relation}\" is not a table or view"),
            "snowflake_audit() reads tables, partitioned tables, foreign tables, views and materialized views.",
        )
    }
    match is_bigint.as_deref().map(CStr::to_bytes) {
        Some(b"t") => statement.unwrap_or_default(),
        None => refuse(
            Code::ERRCODE_UNDEFINED_COLUMN,
            format!("column \"{column}\" of relation \"{relation}\" does not exist"),
            "",
        ),
        Some(_) => refuse(
            Code::ERRCODE_DATATYPE_MISMATCH,
            format!("column \"{column}\" of relation \"{relation}\" is not of type bigint"),
            "Snowflake IDs are stored as bigint.",
        ),
    }
}

fn refuse(code: Code, message: String, detail: &str) -> ! {
    Report::new(code, message, detail, "").raise()
}
