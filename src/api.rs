//! The SQL functions: arguments in, calls down, results out. Their SQL is in `sql/functions.sql`.

use crate::error::Refusal;
use crate::row::Row;
use crate::{clock, issuer, node};
use pgrx::prelude::*;
use snowflake_core::Decoded;
use std::ops::Range;

/// What `timestamptz` holds, in microseconds since 2000: from 4714-11-24 BC up to 294277-01-01
/// (`MIN_TIMESTAMP` and `END_TIMESTAMP` in PostgreSQL's `datatype/timestamp.h`).
const TIMESTAMPTZ_MICROS: Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

/// `snowflake_nextval() -> bigint`: the next ID of this server.
#[pg_extern(sql = false)]
fn snowflake_nextval() -> i64 {
    issuer::next().unwrap_or_else(|refusal| refusal.raise())
}

/// `snowflake_decode(bigint) -> (id_time, datacenter, machine, sequence)`: an ID taken apart.
#[pg_extern(sql = false)]
fn snowflake_decode(id: i64) -> Row<4> {
    decode(id).unwrap_or_else(|refusal| refusal.raise())
}

fn decode(id: i64) -> Result<Row<4>, Refusal> {
    let Decoded { unix_millis, node, sequence } = node::space()?.decode(id).map_err(Refusal::Id)?;
    let id_time = timestamptz(unix_millis).ok_or(Refusal::Timestamp(id))?;
    Ok(Row([
        id_time.into_datum(),
        node.datacenter.cast_signed().into_datum(),
        node.machine.cast_signed().into_datum(),
        sequence.cast_signed().into_datum(),
    ]))
}

/// Milliseconds since 1970 as PostgreSQL's microseconds since 2000, where the type holds them.
fn timestamptz(unix_millis: i64) -> Option<i64> {
    let micros = unix_millis.checked_sub(clock::POSTGRES_EPOCH_UNIX_MILLIS)?.checked_mul(1_000)?;
    TIMESTAMPTZ_MICROS.contains(&micros).then_some(micros)
}

extension_sql_file!("../sql/functions.sql", name = "functions");
