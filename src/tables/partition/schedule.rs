//! Which partitions are missing for now and for some time to come.

use super::bounds::{Bounds, first_id_of_millis};
use super::parent::{Parent, Partition};
use super::refusal;
use super::spi::{self, Param, query};
use crate::error::{Refusal, Report};
use crate::{clock, status, time};
use pgrx::datum::Interval;
use snowflake_core::Space;
use std::ffi::{CStr, CString};

/// The most partitions that one call creates: each holds several locks until the transaction ends, of which
/// a server with ordinary settings has some thousands.
const MAX_PARTITIONS: usize = 500;
/// A year of days; the rest is for what was missed.
const MAX_AHEAD: i32 = 366;
/// A century each, so that what is computed stays within PostgreSQL's calendar.
const MAX_MONTHS: i32 = 1_200;
const MAX_DAYS: i32 = 36_525;

const HOURS_OF_DAY: i64 = 24;
const MICROS_OF_HOUR: i64 = 3_600_000_000;
const MILLIS_OF_DAY: i64 = 86_400_000;

/// A unit of the calendar; its number is positive.
#[derive(Clone, Copy)]
pub enum Every {
    Months(i32),
    Days(i32),
    Hours(i32),
}

/// What the caller asks for.
pub struct Schedule<'a> {
    pub every: Every,
    /// How many units after the present one.
    pub ahead: usize,
    /// By whose clock units begin.
    pub zone: &'a CStr,
}

/// # Errors
/// When the number is too small or too great.
pub fn ahead(number: i32) -> Result<usize, Report> {
    let ahead = usize::try_from(number).ok().filter(|_| number <= MAX_AHEAD);
    ahead.ok_or_else(|| refusal::ahead(MAX_AHEAD))
}

/// The name of a time zone.
///
/// # Errors
/// When it is longer than any: a text of any length is not copied.
pub fn zone(name: &[u8]) -> Result<CString, Report> {
    // TZ_STRLEN_MAX of PostgreSQL's pgtime.h.
    const MAX_BYTES: usize = 255;
    if name.len() > MAX_BYTES {
        return Err(refusal::long_zone(name.len(), MAX_BYTES));
    }
    // A text has no zero byte.
    Ok(CString::new(name).unwrap_or_default())
}

impl Every {
    /// # Errors
    /// When the interval mixes months, days and hours, is not positive, or too long.
    pub fn new(interval: &Interval) -> Result<Self, Report> {
        let (months, days, micros) = (interval.months(), interval.days(), interval.micros());
        match (months, days, micros) {
            (1..=MAX_MONTHS, 0, 0) => Ok(Self::Months(months)),
            (0, 1..=MAX_DAYS, 0) => Ok(Self::Days(days)),
            (0, 0, 1..) => Self::hours(micros),
            (1.., 0, 0) | (0, 1.., 0) => Err(refusal::every("It is longer than a century.")),
            (..=0, ..=0, ..=0) => Err(refusal::every("It is not positive.")),
            _ => Err(refusal::every("It mixes months, days and hours.")),
        }
    }

    fn hours(micros: i64) -> Result<Self, Report> {
        let hours = micros / MICROS_OF_HOUR;
        let is_whole = micros % MICROS_OF_HOUR == 0 && hours > 0;
        match i32::try_from(hours) {
            Ok(number) if is_whole && hours < HOURS_OF_DAY && HOURS_OF_DAY % hours == 0 => {
                Ok(Self::Hours(number))
            }
            _ => Err(refusal::every("The number of hours can be 1, 2, 3, 4, 6, 8 or 12.")),
        }
    }

    fn number(self) -> i32 {
        let (Self::Months(number) | Self::Days(number) | Self::Hours(number)) = self;
        number
    }

    /// No unit is longer.
    fn longest_millis(self) -> i64 {
        let number = i64::from(self.number());
        match self {
            Self::Months(_) => number * 31 * MILLIS_OF_DAY,
            // On one day clocks are set back.
            Self::Days(_) => (number + 1) * MILLIS_OF_DAY,
            Self::Hours(_) => number * MILLIS_OF_DAY / HOURS_OF_DAY,
        }
    }

    fn boundaries(self) -> &'static CStr {
        match self {
            Self::Months(_) => query!("months.sql", "boundaries.sql"),
            Self::Days(_) => query!("days.sql", "boundaries.sql"),
            Self::Hours(_) => query!("hours.sql"),
        }
    }
}

impl Schedule<'_> {
    /// What has to be created, so that no ID is without a partition from the last one that begins before now
    /// to the end of the last unit.
    pub fn missing(&self, space: Space, parent: &Parent) -> Result<Vec<Bounds>, Refusal> {
        // IDs have the time of the ID clock, which may be ahead.
        let now = clock::wall_millis().max(status::next_millis().unwrap_or(i64::MIN));
        let present = first_id_of_millis(space, now)?;
        let partitions = parent.partitions();
        let started = partitions.iter().filter(|it| it.bounds.first <= present);
        // A negative number is no ID.
        let covered = started.map(|it| it.bounds.end.max(0)).max();
        let since = match covered {
            Some(end) if end < present => space.decode(end).map_err(Refusal::Id)?.unix_millis,
            _ => now,
        };
        if (now - since) / self.every.longest_millis() > MAX_PARTITIONS as i64 {
            refusal::too_many(covered.unwrap_or_default(), present, MAX_PARTITIONS).raise();
        }
        let units = self.units(space, since, now)?;
        let range = Bounds { first: covered.unwrap_or(units.present), end: units.end };
        refuse_endless(&partitions, range.end);
        let missing = cut(&uncovered(&partitions, range), &units.cuts);
        if missing.len() > MAX_PARTITIONS {
            refusal::too_many(range.first, range.end, MAX_PARTITIONS).raise();
        }
        Ok(missing)
    }

    /// The units from one moment to the last that is asked for, counted from another, the present one.
    fn units(&self, space: Space, since: i64, now: i64) -> Result<Units, Refusal> {
        let boundaries = self.boundaries(space, since, now)?;
        let next = boundaries.partition_point(|&boundary| boundary <= now);
        // There are more of them than are asked for.
        let at = |index: usize| boundaries.get(index).copied().unwrap_or(i64::MAX);
        // The first unit may begin before all IDs.
        let id = |millis: i64| first_id_of_millis(space, millis.max(space.epoch.unix_millis()));
        let last = next + self.ahead;
        Ok(Units {
            present: id(at(next.saturating_sub(1)))?,
            end: id(at(last))?,
            cuts: boundaries
                .iter()
                .take(last)
                .map(|&millis| id(millis))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Where units begin, in milliseconds since 1970, increasing.
    fn boundaries(&self, space: Space, since: i64, now: i64) -> Result<Vec<i64>, Refusal> {
        let ahead = i64::try_from(self.ahead).unwrap_or(i64::MAX);
        let beyond = Refusal::Moment { micros: i64::MAX, space };
        let moment = |millis| time::from_unix_millis(millis).ok_or(beyond.clone());
        let params = [
            Param::timestamptz(moment(since)?),
            Param::timestamptz(moment(now)?),
            Param::bigint(Some(self.every.number().into())),
            Param::bigint(Some(ahead)),
        ];
        let rows = spi::rows_in_zone(Some(self.zone), self.every.boundaries(), &params);
        let mut boundaries: Vec<_> =
            rows.iter().filter_map(|[millis]| spi::number(millis.as_deref())).collect();
        boundaries.sort_unstable();
        // A day that a time zone leaves out ends as it begins.
        boundaries.dedup();
        Ok(boundaries)
    }
}

/// Units of the calendar, as IDs.
struct Units {
    /// Where the present one begins.
    present: i64,
    /// Where the last one ends.
    end: i64,
    /// Where each of them begins.
    cuts: Vec<i64>,
}

/// A partition without an end leaves no room for others.
fn refuse_endless(partitions: &[Partition], end: i64) {
    let endless = partitions.last().filter(|it| it.bounds.end == Bounds::MAX);
    if let Some(endless) = endless.filter(|it| it.bounds.first < end) {
        refusal::without_end(endless).raise();
    }
}

/// What of a range no partition covers. Partitions are in order.
fn uncovered(partitions: &[Partition], range: Bounds) -> Vec<Bounds> {
    let mut uncovered = Vec::new();
    let mut first = range.first;
    let rest = Bounds { first: range.end, end: range.end };
    for next in
        partitions.iter().map(|it| it.bounds).filter(|it| it.first < range.end).chain([rest])
    {
        if first < next.first {
            uncovered.push(Bounds { first, end: next.first });
        }
        first = first.max(next.end);
    }
    uncovered
}

/// Ranges, cut into pieces. Cuts are in order.
fn cut(ranges: &[Bounds], cuts: &[i64]) -> Vec<Bounds> {
    let pieces = |range: &Bounds| {
        let inner = cuts.iter().copied().filter(|&at| range.first < at && at < range.end);
        let ends: Vec<_> = inner.chain([range.end]).collect();
        let firsts = [range.first].into_iter().chain(ends.clone());
        firsts.zip(ends).map(|(first, end)| Bounds { first, end }).collect::<Vec<_>>()
    };
    ranges.iter().flat_map(pieces).collect()
}
