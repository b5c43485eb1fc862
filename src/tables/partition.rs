//! `snowflake_partition`: one partition of a table that is partitioned by range of its ID.

use super::spi::{self, Param};
use crate::error::{Code, Refusal, Report};
use crate::{node, time};
use pgrx::prelude::*;
use std::ffi::{CStr, CString};

/// What the table is partitioned by: the strategy, the number of columns, the type of the first.
const KEY: &CStr = c"
    SELECT p.partstrat::text, p.partnatts::text, a.atttypid::text
    FROM pg_class AS c
    LEFT JOIN pg_partitioned_table AS p ON p.partrelid = c.oid
    LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
    WHERE c.oid = $1";

/// The partition's name, if none is given: that of the parent, cut where the name would be too long,
/// and the time that it begins with, which may be midnight.
const NAME: &CStr = c"
    SELECT coalesce($2, (
        SELECT left(c.relname, length) || suffix
        FROM generate_series(length(c.relname), 0, -1) AS length
        WHERE octet_length(left(c.relname, length)) + octet_length(suffix) <= 63
        LIMIT 1
    ))::name::text
    FROM pg_class AS c, to_char($3, CASE
        WHEN $3::time = '00:00' THEN '\"_p\"YYYYMMDD'
        WHEN date_trunc('second', $3) = $3 THEN '\"_p\"YYYYMMDD_HH24MISS'
        ELSE '\"_p\"YYYYMMDD_HH24MISSMS' END) AS suffix
    WHERE c.oid = $1";

/// The new partition is in the schema of its parent.
const STATEMENT: &CStr = c"
    SELECT format('CREATE TABLE %s.%I PARTITION OF %s FOR VALUES FROM (%s) TO (%s)',
        c.relnamespace::regnamespace, $2, c.oid::regclass, $3, $4)
    FROM pg_class AS c WHERE c.oid = $1";

const PARTITION: &CStr = c"
    SELECT p.oid::text FROM pg_class AS c JOIN pg_class AS p USING (relnamespace)
    WHERE c.oid = $1 AND p.relname = $2::name";

/// `snowflake_partition(regclass, timestamptz, timestamptz, text) -> regclass`: the new partition, for the
/// IDs of a time from, inclusive, to, exclusive. Times are in microseconds since 2000.
#[pg_extern(sql = false)]
fn snowflake_partition(
    parent: Option<pg_sys::Oid>,
    from: Option<i64>,
    to: Option<i64>,
    name: Option<&[u8]>,
) -> Option<pg_sys::Oid> {
    let parent = parent.unwrap_or_else(|| refuse_null("parent"));
    let from = from.unwrap_or_else(|| refuse_null("from"));
    let to = to.unwrap_or_else(|| refuse_null("to"));
    let bounds = bounds(from, to).unwrap_or_else(|refusal| refusal.raise());
    // A text has no zero byte.
    let name = name.and_then(|name| CString::new(name).ok());
    Spi::connect_mut(|_| {
        check(parent);
        create(parent, name.as_deref(), from, bounds)
    })
}

fn create(
    parent: pg_sys::Oid,
    name: Option<&CStr>,
    from: i64,
    (first, end): (i64, i64),
) -> Option<pg_sys::Oid> {
    let params = [Param::oid(parent), Param::text(name), Param::timestamptz(from)];
    let [name] = spi::rows(NAME, &params).pop()?;
    let params = || [Param::oid(parent), Param::text(name.as_deref())];
    let [parent, name] = params();
    let bounds = [first, end].map(|bound| Param::bigint(Some(bound)));
    let [first, end] = bounds;
    let [statement] = spi::rows(STATEMENT, &[parent, name, first, end]).pop()?;
    spi::execute(&statement?);
    let [partition] = spi::rows(PARTITION, &params()).pop()?;
    spi::number::<u32>(partition.as_deref()).map(pg_sys::Oid::from)
}

/// The smallest ID of the partition, and the smallest after it.
fn bounds(from: i64, to: i64) -> Result<(i64, i64), Refusal> {
    let space = node::space()?;
    let first = |micros| {
        let millis = time::to_unix_millis(micros);
        let id = millis.and_then(|millis| space.first_id(millis).ok());
        id.ok_or(Refusal::Moment { micros, space })
    };
    let bounds = (first(from)?, first(to)?);
    if bounds.0 < bounds.1 { Ok(bounds) } else { Err(Refusal::EmptyRange { from, to }) }
}

/// Refuses a parent that a range of IDs is no bound for. What else may be wrong with it, PostgreSQL says.
fn check(parent: pg_sys::Oid) {
    let found: Option<spi::Row<3>> = spi::rows(KEY, &[Param::oid(parent)]).pop();
    let found = found.as_ref().map(|row| row.each_ref().map(|text| text.as_deref()));
    let range_of_one = |strategy: &CStr, columns: &CStr, kind| {
        // SAFETY: the type of a column exists.
        let base = |kind: u32| unsafe { pg_sys::getBaseType(kind.into()) };
        let is_bigint = spi::number(kind).map(base) == Some(pg_sys::INT8OID);
        strategy == c"r" && columns == c"1" && is_bigint
    };
    let (code, message, hint) = match found {
        Some([Some(strategy), Some(columns), kind]) if range_of_one(strategy, columns, kind) => {
            return;
        }
        None => (
            Code::ERRCODE_UNDEFINED_TABLE,
            format!("relation with OID {} does not exist", parent.to_u32()),
            "",
        ),
        Some([None, ..]) => (
            Code::ERRCODE_WRONG_OBJECT_TYPE,
            "the relation is not a partitioned table".to_owned(),
            "Create the table with PARTITION BY RANGE (id).",
        ),
        Some(_) => (
            Code::ERRCODE_WRONG_OBJECT_TYPE,
            "the table is not partitioned by range of one column of type bigint".to_owned(),
            "Create the table with PARTITION BY RANGE (id).",
        ),
    };
    Report::new(code, message, "", hint).raise()
}

fn refuse_null(argument: &str) -> ! {
    Report::new(
        Code::ERRCODE_NULL_VALUE_NOT_ALLOWED,
        format!("\"{argument}\" must not be null"),
        "",
        "",
    )
    .raise()
}

extension_sql_file!("../../sql/partition.sql", name = "partition");
