//! PostgreSQL's time, as the core counts it.
//!
//! `timestamptz` is microseconds since 2000-01-01 00:00:00 UTC; the core counts milliseconds since 1970.

use std::ops::Range;

/// Milliseconds from 1970 to 2000.
pub const POSTGRES_EPOCH_UNIX_MILLIS: i64 = 946_684_800_000;

/// What `timestamptz` holds, in microseconds since 2000: from 4714-11-24 BC up to 294277-01-01
/// (`MIN_TIMESTAMP` and `END_TIMESTAMP` in PostgreSQL's `datatype/timestamp.h`).
const TIMESTAMPTZ_MICROS: Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

/// Milliseconds since 1970 as a `timestamptz`, where the type holds them.
pub fn from_unix_millis(unix_millis: i64) -> Option<i64> {
    let micros = unix_millis.checked_sub(POSTGRES_EPOCH_UNIX_MILLIS)?.checked_mul(1_000)?;
    TIMESTAMPTZ_MICROS.contains(&micros).then_some(micros)
}

/// The millisecond that a `timestamptz` lies in, since 1970; none for the two infinities.
pub fn to_unix_millis(micros: i64) -> Option<i64> {
    let millis = micros.div_euclid(1_000) + POSTGRES_EPOCH_UNIX_MILLIS;
    TIMESTAMPTZ_MICROS.contains(&micros).then_some(millis)
}
