//! `snowflake_audit`: whose IDs a table holds.

use super::spi::{self, Param, readable};
use crate::error::{Code, Refusal, Report};
use crate::{clock, lease, node, shared, time};
use pgrx::iter::TableIterator;
use pgrx::prelude::*;
use snowflake_core::{Generator, Node, Section, Space};
use std::ffi::CStr;

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

/// Whether rows can be read from the relation, and the type of the column, below its domains.
const COLUMN: &CStr = c"
    WITH RECURSIVE base AS (
        SELECT atttypid AS type FROM pg_attribute
        WHERE attrelid = $1 AND attname = $2::name AND NOT attisdropped
        UNION ALL
        SELECT typbasetype FROM base JOIN pg_type ON oid = type WHERE typtype = 'd'
    )
    SELECT (relkind IN ('r', 'p', 'm', 'v', 'f'))::text, (SELECT bool_or(type = 'bigint'::regtype)::text FROM base)
    FROM pg_class WHERE oid = $1";

/// One pass; nothing is taken apart but the smallest and the greatest ID of each node. OFFSET 0 keeps the
/// planner from taking every row for a group of its own, for which it would sort the table on disk.
const SCAN: &CStr = c"
    SELECT format($statement$
        SELECT count(*)::text, min(id)::text, max(id)::text,
            count(*) FILTER (WHERE id >= $3)::text, count(*) FILTER (WHERE id >= $4)::text
        FROM (
            SELECT id, CASE WHEN id >= 0 THEN (id >> $1::int) & $2 ELSE -1 END AS node
            FROM (SELECT %2$I::bigint AS id FROM %1$s) AS column_of_ids
            WHERE id IS NOT NULL OFFSET 0
        ) AS ids
        GROUP BY node ORDER BY node
    $statement$, $1::regclass, $2)";

/// `snowflake_audit(regclass, name)`: one row for each node that the IDs in a column are from.
#[pg_extern(sql = false)]
#[allow(clippy::type_complexity, reason = "pgrx reads the columns here")]
fn snowflake_audit(
    rel: pg_sys::Oid,
    col: &CStr,
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
        name!(beyond_mark, Option<i64>),
    ),
> {
    let audit = Audit::begin().unwrap_or_else(|refusal| refusal.raise());
    // Whatever the scan sees was there before the audit began, and its IDs are below the mark.
    let groups = Spi::connect(|_| {
        check(rel, col);
        audit.scan(rel, col)
    });
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
        let this = node::generator().ok().map(|generator| (generator, mark(&generator)));
        Ok(Self { space, now: clock::wall_millis(), this })
    }

    fn scan(&self, rel: pg_sys::Oid, col: &CStr) -> Vec<Group> {
        let layout = self.space.layout;
        let shift = i64::from(layout.bits(Section::Sequence));
        let nodes = (layout.max(Section::Datacenter) + 1) * (layout.max(Section::Machine) + 1);
        let mark = self.this.and_then(|(_, mark)| mark);
        let params = [Some(shift), Some((nodes - 1).cast_signed()), self.first_ahead(), mark];
        let statement = spi::rows(SCAN, &[Param::oid(rel), Param::text(Some(col))]).pop();
        let Some([Some(statement)]) = statement else { return Vec::new() };
        spi::rows_for_caller(&statement, &params.map(Param::bigint))
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

    fn group(&self, [ids, first, last, ahead, beyond]: [i64; 5]) -> Group {
        let Ok(decoded) = self.space.decode(first) else {
            return (None, None, ids, None, None, None, None, None);
        };
        let time =
            |id| self.space.decode(id).ok().and_then(|id| time::from_unix_millis(id.unix_millis));
        let Node { datacenter, machine } = decoded.node;
        let is_this = self.this.map(|(generator, _)| generator.node() == decoded.node);
        // What a foreign table has got since the scan began may be from here, and is below the mark now.
        let mark_now = self.this.and_then(|(generator, before)| before.and(mark(&generator)));
        let is_beyond = |mark_now| is_this == Some(true) && last >= mark_now;
        let beyond = mark_now.map(|mark_now| if is_beyond(mark_now) { beyond } else { 0 });
        (
            Some(datacenter.cast_signed()),
            Some(machine.cast_signed()),
            ids,
            time(first),
            time(last),
            Some(ahead),
            is_this,
            beyond,
        )
    }
}

/// IDs of this server lie below this one; unknown where it cannot issue any.
fn mark(generator: &Generator) -> Option<i64> {
    let mark = lease::mark(generator, shared::get()?).ok()?;
    Some(generator.check(mark).map_or(i64::MAX, |()| generator.id(mark)))
}

/// Refuses what is not a column of IDs.
fn check(rel: pg_sys::Oid, col: &CStr) {
    let found: Option<spi::Row<2>> =
        spi::rows(COLUMN, &[Param::oid(rel), Param::text(Some(col))]).pop();
    let found =
        found.as_ref().map(|row| row.each_ref().map(|text| Some(text.as_ref()?.to_bytes())));
    let (code, message, detail) = match found {
        None => (
            Code::ERRCODE_UNDEFINED_TABLE,
            format!("relation with OID {} does not exist", rel.to_u32()),
            "",
        ),
        Some([Some(b"false"), _]) => (
            Code::ERRCODE_WRONG_OBJECT_TYPE,
            "the relation has no rows to look at".to_owned(),
            "An audit reads tables, partitioned and foreign tables, views and materialized views.",
        ),
        Some([_, None]) => (
            Code::ERRCODE_UNDEFINED_COLUMN,
            format!("column \"{}\" does not exist in the relation", readable(col)),
            "",
        ),
        Some([_, Some(b"true")]) => return,
        Some(_) => (
            Code::ERRCODE_DATATYPE_MISMATCH,
            format!("column \"{}\" is not of type bigint", readable(col)),
            "Snowflake IDs are stored as bigint.",
        ),
    };
    Report::new(code, message, detail, "").raise()
}

extension_sql_file!("../../sql/audit.sql", name = "audit");
