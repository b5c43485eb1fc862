//! Random values, as expressions of SQL: the edges of every type, random ones, and results of
//! earlier calls, so that valid input is frequent.
//!
//! All of it is ASCII, so that a statement reads and runs everywhere; other bytes are escaped.

use std::{collections::BTreeMap, fmt::Write};

use anyhow::{Result, bail};
use fastrand::Rng;

use crate::database::{Encoding, Relation};

/// Results of one type that are kept; then new ones replace old ones.
const KEPT: usize = 1_000;
/// 2024-01-01, the epoch, in microseconds since 2000.
const EPOCH: i64 = 757_382_400_000_000;
/// The length of the ID space: 41 bits of milliseconds.
const SPACE: i64 = (1 << 41) * 1_000;
/// Datacenter 1, machine 1: an ID of this server, issued or not.
const THIS_NODE: i64 = 1 << 17 | 1 << 12;
/// What a `timestamptz` holds, in microseconds since 2000.
const FIRST_TIME: i64 = -211_813_488_000_000_000;
const LAST_TIME: i64 = 9_223_371_331_199_999_999;

const TEXTS: &[&[u8]] = &[
    b"UTC",
    b"Europe/Berlin",
    b"",
    b"0",
    b" ",
    b"0000000000000",
    b"7ZZZZZZZZZZZZ",
    b"8000000000000",
    b"zzzzzzzzzzzzz",
    b"oOiIlL0123456",
    b"UUUUUUUUUUUUU",
    b"00000000000",
    b"AzL8n0Y58m7",
    b"AzL8n0Y58m8",
    b"zzzzzzzzzzz",
    b"part",
    b"it's \"quoted\" \\ %s %I $1 ; --",
    b"a\nb\tc",
];

const COLUMNS: &[&[u8]] = &[
    b"",
    b"ID",
    b"note",
    b"ctid",
    b"tableoid",
    b"........pg.dropped.1........",
    b"........pg.dropped.2........",
    b"missing",
    b"it's \"quoted\" \\ %s %I $1 ; --",
];

pub struct Values {
    pub rng: Rng,
    encoding: Encoding,
    /// Those made for this test.
    kinds: Vec<Relation>,
    /// Those of them that rows can be written to.
    tables: Vec<Relation>,
    partitioned: Vec<Relation>,
    /// Those of the system.
    catalog: Vec<Relation>,
    /// Numbers that are the OID of no relation.
    no_relations: Vec<u32>,
    /// The relation drawn last, whose columns fit.
    relation: Option<Relation>,
    /// The time drawn last, for another one soon after.
    time: i64,
    /// Results so far, by type.
    results: BTreeMap<String, Vec<String>>,
}

impl Values {
    pub fn new(
        rng: Rng,
        encoding: Encoding,
        relations: Vec<Relation>,
        no_relations: Vec<u32>,
    ) -> Self {
        let (kinds, catalog): (Vec<_>, Vec<_>) = relations.into_iter().partition(|it| it.is_ours);
        let of = |some: &[u8]| kinds.iter().filter(|it| some.contains(&it.kind)).cloned().collect();
        Self {
            rng,
            encoding,
            tables: of(b"rpv"),
            partitioned: of(b"p"),
            kinds,
            catalog,
            no_relations,
            relation: None,
            time: EPOCH,
            results: BTreeMap::new(),
        }
    }

    /// Whether something happens that does so once in `n` times.
    pub fn one_in(&mut self, n: u32) -> bool {
        self.rng.u32(..n) == 0
    }

    pub fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.usize(..from.len())]
    }

    /// Keeps the result of a call for others.
    pub fn keep(&mut self, kind: &str, result: &str) {
        let results = self.results.entry(kind.to_owned()).or_default();
        if results.len() < KEPT {
            results.push(result.to_owned());
        } else {
            results[self.rng.usize(..KEPT)] = result.to_owned();
        }
    }

    /// A value of a type.
    pub fn draw(&mut self, kind: &str) -> Result<String> {
        if self.one_in(25) {
            return Ok(format!("NULL::{kind}"));
        }
        let value = match kind {
            "bigint" => format!("'{}'", self.bigint()),
            "integer" => format!("'{}'", self.integer()),
            "timestamp with time zone" => format!("({})", self.time()),
            "interval" => format!("'{}'", self.interval()),
            "boolean" => self.choose(&["true", "false"]).to_owned(),
            "text" if self.one_in(500) => format!("repeat({}, 90000)", literal(&self.text())),
            "text" => literal(&self.text()),
            "name" => literal(&self.name()),
            "regclass" => self.relation(),
            _ => bail!("no values of type {kind} are drawn yet: add them to values.rs"),
        };
        Ok(format!("{value}::{kind}"))
    }

    fn result(&mut self, kind: &str) -> Option<String> {
        let results = self.results.get(kind)?;
        self.rng.choice(results).cloned()
    }

    pub fn bigint(&mut self) -> i64 {
        let number = match self.rng.u8(..10) {
            0..5 => self.result("bigint").and_then(|id| id.parse().ok()),
            5 => Some(self.choose(&[0, i64::MAX, i64::MIN, i32::MAX.into(), i32::MIN.into()])),
            6 => Some(1 << self.rng.u32(..64)),
            7 => Some(-1 << self.rng.u32(..64)),
            8 => Some(self.rng.i64(0..1 << 41) << 22 | THIS_NODE | self.rng.i64(0..1 << 12)),
            _ => None,
        };
        let number = number.unwrap_or_else(|| self.rng.i64(..) >> self.rng.u32(..64));
        number.wrapping_add(self.choose(&[-1, 0, 0, 0, 1]))
    }

    /// Often small enough for a section or its width.
    fn integer(&mut self) -> i32 {
        let number = match self.rng.u8(..10) {
            0..4 => self.rng.i32(0..32),
            4..6 => self.rng.i32(0..3),
            6 => self.choose(&[0, i32::MAX, i32::MIN, 10_000_000]),
            7 => 1 << self.rng.u32(..32),
            _ => self.rng.i32(..) >> self.rng.u32(..32),
        };
        if self.one_in(4) { number.wrapping_add(self.choose(&[-1, 1])) } else { number }
    }

    /// The middle is a sum, as only that is exact to the microsecond all over the range.
    fn time(&mut self) -> String {
        let micros = match self.rng.u8(..10) {
            0 => return self.choose(&["'infinity'", "'-infinity'"]).to_owned(),
            1 => self.choose(&[FIRST_TIME, LAST_TIME, 0, EPOCH, EPOCH + SPACE]),
            2 => self.rng.i64(FIRST_TIME..=LAST_TIME),
            3 => self.rng.i64(EPOCH..EPOCH + SPACE),
            4 => self.time.saturating_add(self.rng.i64(..) >> self.rng.u32(1..64)),
            5 => self.rng.i64(EPOCH..EPOCH + SPACE) / 86_400_000_000 * 86_400_000_000,
            6 => self.rng.i64(EPOCH..EPOCH + SPACE) / 1_000 * 1_000,
            _ => match self.result("timestamp with time zone") {
                Some(time) => return format!("'{time}'"),
                None => EPOCH,
            },
        };
        let step = self.choose(&[-1_000_000, -1_000, -1, 0, 0, 0, 0, 1, 999, 1_000]);
        let micros = micros.saturating_add(step).clamp(FIRST_TIME, LAST_TIME);
        self.time = micros;
        format!("timestamptz '2000-01-01 00:00:00+00' + '{micros} us'::interval")
    }

    /// Often one that is a unit of the calendar.
    fn interval(&mut self) -> String {
        let unit =
            self.choose(&["month", "day", "week", "hour", "year", "minute", "us", "mon 1 day"]);
        let number = self.integer();
        if self.rng.bool() { format!("1 {unit}") } else { format!("{number} {unit}") }
    }

    fn text(&mut self) -> Vec<u8> {
        let text = match self.rng.u8(..10) {
            0..5 => self.result("text").map(String::into_bytes),
            5..7 => Some(self.choose(TEXTS).to_vec()),
            7 => Some(self.long_name()),
            _ => None,
        };
        let mut text = text.unwrap_or_else(|| {
            let length = self.choose(&[11, 13, 11, 13, 3, 70]);
            (0..length).map(|_| self.rng.alphanumeric() as u8).collect()
        });
        if self.one_in(3) {
            self.damage(&mut text);
        }
        text
    }

    /// Another byte here, one more or one less there.
    fn damage(&mut self, text: &mut Vec<u8>) {
        let at = self.rng.usize(..=text.len());
        let end = (at + self.rng.usize(..2)).min(text.len());
        let character = match self.rng.u8(..4) {
            0 => Vec::new(),
            1 => vec![self.rng.u8(1..128)],
            2 => vec![self.rng.alphanumeric() as u8],
            _ => self.character(),
        };
        // Within a character of several bytes there must be no end.
        if text.is_ascii() {
            text.splice(at..end, character);
        }
    }

    /// One that is not ASCII.
    fn character(&mut self) -> Vec<u8> {
        self.encoding.character(&mut self.rng)
    }

    /// A table or view; `name` will find its columns.
    pub fn table(&mut self) -> Option<Relation> {
        self.relation = self.rng.choice(&self.tables).cloned();
        self.relation.clone()
    }

    pub fn name(&mut self) -> Vec<u8> {
        match self.rng.u8(..10) {
            0..3 => b"id".to_vec(),
            3..7 => {
                let columns = self.relation.as_ref().map_or(&[][..], |it| &it.columns);
                self.rng.choice(columns).cloned().unwrap_or_else(|| b"id".to_vec())
            }
            7 => self.choose(COLUMNS).to_vec(),
            8 => self.long_name(),
            _ => self.text(),
        }
    }

    /// Around 63 bytes, the most that a name has.
    fn long_name(&mut self) -> Vec<u8> {
        let length = self.rng.usize(60..=130);
        let character = if self.rng.bool() { b"x".to_vec() } else { self.character() };
        let mut name = b"y".repeat(self.rng.usize(..4));
        while name.len() < length {
            name.extend(&character);
        }
        name
    }

    fn relation(&mut self) -> String {
        let from = match self.rng.u8(..10) {
            0 => &Vec::new(),
            1 => &self.catalog,
            2..4 => &self.kinds,
            4..6 => &self.partitioned,
            _ => &self.tables,
        };
        self.relation = self.rng.choice(from).cloned();
        if let Some(relation) = &self.relation {
            return literal(&relation.name);
        }
        let oid = match self.rng.u8(..4) {
            0 => Some(0),
            1 => Some(self.rng.u32(..)),
            _ => self.rng.choice(&self.no_relations).copied(),
        };
        format!("'{}'", oid.unwrap_or(u32::MAX))
    }
}

/// A string constant of exactly these bytes.
pub fn literal(bytes: &[u8]) -> String {
    let mut text = "E'".to_owned();
    for &byte in bytes {
        match byte {
            b'\'' | b'\\' => _ = write!(text, "\\{}", char::from(byte)),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => _ = write!(text, "\\x{byte:02x}"),
        }
    }
    text + "'"
}
