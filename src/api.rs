//! The SQL functions on single values: arguments in, calls down, results out.

use crate::error::{Code, Refusal, Report};
use crate::row::Row;
use crate::{clock, node, server, time};
use pgrx::pg_sys::elog::PgLogLevel;
use pgrx::prelude::*;
use snowflake_core::{
    Decoded, EncodeError, Epoch, IdError, Layout, Node, Section, Space, TextForm,
};

/// The most IDs that one batch may ask for.
const MAX_BATCH: i64 = 10_000_000;

/// How far ahead of the wall clock the ID clock can be raised, in milliseconds: a year. It never goes back, and there are
/// rows whose keys others have chosen.
const MAX_RAISE: i64 = 366 * 24 * 60 * 60 * 1_000;

/// A `timestamptz`: microseconds since 2000.
type TimestampTz = i64;

/// Returns the value, or raises the reason why there is none.
fn or_raise<T>(result: Result<T, Refusal>) -> T {
    result.unwrap_or_else(|refusal| refusal.raise())
}

/// `snowflake_nextval() -> bigint`, and `snowflake_id()`: the next ID of this server.
#[pg_extern(sql = false)]
fn snowflake_nextval() -> i64 {
    or_raise(server::next())
}

/// `snowflake_nextval(after) -> bigint`: the next ID, greater than this one. NULL is below all IDs, as is -1.
#[pg_extern(sql = false)]
fn snowflake_nextval_after(after: Option<i64>) -> i64 {
    or_raise(server::next_after(after.unwrap_or(-1)))
}

/// `snowflake_raise(id)`: all IDs from now on are greater than this one.
#[pg_extern(sql = false)]
fn snowflake_raise(id: i64) {
    // Not by EXECUTE alone, which roles have of all functions of a schema, and an owner of the extension can come by.
    // SAFETY: a plain read of the session's state.
    if !unsafe { pg_sys::superuser() } {
        or_raise(Err(Refusal::NotSuperuser))
    }
    if !or_raise(raise(id)) {
        let message = format!("the snowflake ID clock is already above ID {id}");
        Report::new(Code::ERRCODE_SUCCESSFUL_COMPLETION, message, "", "")
            .report(PgLogLevel::NOTICE);
    }
}

fn raise(id: i64) -> Result<bool, Refusal> {
    let server = server::ready()?;
    let Decoded { unix_millis, .. } = server.generator.space().decode(id).map_err(Refusal::Id)?;
    if unix_millis > clock::wall_millis().saturating_add(MAX_RAISE) {
        return Err(Refusal::Raise(id));
    }
    Ok(server.raise(id)?)
}

/// `snowflake_nextval_batch(count) -> setof bigint`: the next `count` IDs, increasing.
#[pg_extern(sql = false)]
fn snowflake_nextval_batch(count: i64) -> SetOfIterator<'static, i64> {
    SetOfIterator::new(or_raise(batch(count)))
}

/// `snowflake_reserve(count) -> bigint`: the first of `count` consecutive IDs.
#[pg_extern(sql = false)]
fn snowflake_reserve(count: i64) -> i64 {
    or_raise(reserve(count))
}

fn batch(n: i64) -> Result<impl Iterator<Item = i64>, Refusal> {
    let server = server::ready()?;
    Ok(server.batch(count(n, MAX_BATCH)?)?)
}

fn reserve(n: i64) -> Result<i64, Refusal> {
    let server = server::ready()?;
    // At most 24 bits.
    let max = server.ids_in_a_millisecond().cast_signed();
    Ok(server.reserve(count(n, max)?)?)
}

fn count(n: i64, max: i64) -> Result<u64, Refusal> {
    if (1..=max).contains(&n) { Ok(n.unsigned_abs()) } else { Err(Refusal::Count { n, max }) }
}

/// `snowflake_encode(timestamptz, int, int, int) -> bigint`: an ID put together.
#[pg_extern(sql = false)]
fn snowflake_encode(micros: TimestampTz, datacenter: i32, machine: i32, sequence: i32) -> i64 {
    or_raise(encode(micros, datacenter, machine, sequence))
}

fn encode(
    micros: TimestampTz,
    datacenter: i32,
    machine: i32,
    sequence: i32,
) -> Result<i64, Refusal> {
    let space = node::space()?;
    let layout = space.layout;
    let part = |section, value: i32| {
        let fits = u32::try_from(value).ok().filter(|&part| u64::from(part) <= layout.max(section));
        fits.ok_or(Refusal::Part { section, value, layout })
    };
    let node = Node {
        datacenter: part(Section::Datacenter, datacenter)?,
        machine: part(Section::Machine, machine)?,
    };
    at_moment(space, micros, node, part(Section::Sequence, sequence)?)
}

/// The ID of parts that fit.
fn at_moment(space: Space, micros: TimestampTz, node: Node, sequence: u32) -> Result<i64, Refusal> {
    time::to_unix_millis(micros)
        .ok_or(EncodeError::Time(micros))
        .and_then(|millis| space.encode(millis, node, sequence))
        .map_err(|_| Refusal::Moment { micros, space })
}

/// `snowflake_from_timestamp(timestamptz) -> bigint`: the smallest ID of a millisecond.
#[pg_extern(sql = false)]
fn snowflake_from_timestamp(micros: TimestampTz) -> i64 {
    let first = |space| at_moment(space, micros, Node::default(), 0);
    or_raise(node::space().and_then(first))
}

/// `snowflake_timestamp(bigint) -> timestamptz`: the time of an ID.
#[pg_extern(sql = false)]
fn snowflake_timestamp(id: i64) -> TimestampTz {
    let time = |space: Space| id_time(id, space.decode(id).map_err(Refusal::Id)?);
    or_raise(node::space().and_then(time))
}

fn id_time(id: i64, decoded: Decoded) -> Result<TimestampTz, Refusal> {
    time::from_unix_millis(decoded.unix_millis).ok_or(Refusal::Timestamp(id))
}

/// `snowflake_decode(bigint) -> (id_time, datacenter, machine, sequence)`: an ID taken apart.
#[pg_extern(sql = false)]
fn snowflake_decode(id: i64) -> Row<4> {
    or_raise(node::space().and_then(|space| decode(space, id)))
}

fn decode(space: Space, id: i64) -> Result<Row<4>, Refusal> {
    let decoded = space.decode(id).map_err(Refusal::Id)?;
    let Decoded { node: Node { datacenter, machine }, sequence, .. } = decoded;
    Ok(Row([
        id_time(id, decoded)?.into_datum(),
        datacenter.cast_signed().into_datum(),
        machine.cast_signed().into_datum(),
        sequence.cast_signed().into_datum(),
    ]))
}

/// `snowflake_decode(bigint, timestamptz, int, int, int)`: an ID of another system taken apart.
#[pg_extern(sql = false)]
fn snowflake_decode_foreign(
    id: i64,
    epoch: TimestampTz,
    datacenter_bits: i32,
    machine_bits: i32,
    sequence_bits: i32,
) -> Row<4> {
    let space = foreign_space(epoch, datacenter_bits, machine_bits, sequence_bits);
    or_raise(space.and_then(|space| decode(space, id)))
}

fn foreign_space(
    epoch: TimestampTz,
    datacenter_bits: i32,
    machine_bits: i32,
    sequence_bits: i32,
) -> Result<Space, Refusal> {
    let width = |section, bits: i32| {
        let fits = u32::try_from(bits).ok().filter(|&it| it <= Layout::MAX_NODE_AND_SEQUENCE_BITS);
        fits.ok_or(Refusal::Width { section, bits })
    };
    let layout = Layout::new(
        width(Section::Datacenter, datacenter_bits)?,
        width(Section::Machine, machine_bits)?,
        width(Section::Sequence, sequence_bits)?,
    )
    .map_err(Refusal::Widths)?;
    let whole = Some(epoch).filter(|micros| micros % 1_000 == 0);
    let millis = whole.and_then(time::to_unix_millis).and_then(Epoch::from_unix_millis);
    Ok(Space { layout, epoch: millis.ok_or(Refusal::Epoch(epoch))? })
}

/// `snowflake_decode_jsonb(bigint) -> jsonb`: the same as an object, the ID with it as text.
#[pg_extern(sql = false)]
fn snowflake_decode_jsonb(id: i64) -> pgrx::JsonB {
    let json = |space: Space| {
        space.decode_json(id).map_err(|error| match error {
            // Unless no function can tell its time.
            IdError::Time(id) if decode(space, id).is_ok() => Refusal::JsonTime(id),
            error => Refusal::Id(error),
        })
    };
    pgrx::JsonB(or_raise(node::space().and_then(json)))
}

/// `snowflake_to_base32(bigint) -> text`.
#[pg_extern(sql = false)]
fn snowflake_to_base32(id: i64) -> String {
    to_text(TextForm::Base32, id)
}

/// `snowflake_from_base32(text) -> bigint`. The text may be in any encoding, so it comes as bytes.
#[pg_extern(sql = false)]
fn snowflake_from_base32(text: &[u8]) -> i64 {
    from_text(TextForm::Base32, text)
}

/// `snowflake_to_base62(bigint) -> text`.
#[pg_extern(sql = false)]
fn snowflake_to_base62(id: i64) -> String {
    to_text(TextForm::Base62, id)
}

/// `snowflake_from_base62(text) -> bigint`.
#[pg_extern(sql = false)]
fn snowflake_from_base62(text: &[u8]) -> i64 {
    from_text(TextForm::Base62, text)
}

fn to_text(form: TextForm, id: i64) -> String {
    or_raise(form.encode(id).map_err(Refusal::Id))
}

fn from_text(form: TextForm, text: &[u8]) -> i64 {
    or_raise(form.decode(text).map_err(|error| Refusal::Text { form, error }))
}
