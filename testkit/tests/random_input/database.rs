//! A database of some encoding, with relations of every kind.

use anyhow::{Result, ensure};
use fastrand::Rng;
use postgres::Client;
use snowflake_testkit::{DEADLINE, Node};

use crate::values::{Values, literal};

const SCHEMA: &str = include_str!("schema.sql");

/// A table whose name and column are not ASCII, which no statement could say in every encoding.
const FOREIGN_NAMES: &str = "
    DO $$ BEGIN
        EXECUTE format('CREATE TABLE kinds.%I (%I bigint, id bigserial PRIMARY KEY)', {}, {});
        EXECUTE format('CREATE TABLE kinds.%I (id bigint) PARTITION BY RANGE (id)', {});
    END $$";

/// Any file of one number is a table of one row.
const FILE_FDW: &str = "
    CREATE EXTENSION file_fdw;
    CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
    CREATE FOREIGN TABLE kinds.file (id bigint) SERVER files OPTIONS (filename 'PG_VERSION')";

const RELATIONS: &str = "
    SELECT convert_to(c.oid::regclass::text, getdatabaseencoding()), c.relkind,
        n.nspname IN ('kinds', 'pg_toast'), array(
            SELECT convert_to(attname::text, getdatabaseencoding())
            FROM pg_attribute WHERE attrelid = c.oid ORDER BY attnum
        )
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    ORDER BY c.oid";

/// Every kind that PostgreSQL knows.
const KINDS: &[u8] = b"rpvmiIStcf";

/// The numbers of a type, a function, a schema and a relation that is to be dropped.
const NO_RELATIONS: &str = "
    SELECT unnest(ARRAY['int'::regtype, 'pg_sleep'::regproc, 'kinds'::regnamespace,
        'kinds.gone'::regclass]::oid[])";

/// What a session may have set otherwise.
const SETTINGS: &[&str] = &[
    "timezone = 'Asia/Tokyo'",
    "timezone = 'America/St_Johns'",
    "search_path = ''",
    "search_path = kinds, public, pg_catalog",
    "quote_all_identifiers = on",
    "standard_conforming_strings = off",
    "client_min_messages = error",
    "row_security = off",
    "array_nulls = off",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Latin1,
    EucJp,
    SqlAscii,
}

impl Encoding {
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF8",
            Self::Latin1 => "LATIN1",
            Self::EucJp => "EUC_JP",
            Self::SqlAscii => "SQL_ASCII",
        }
    }

    /// A character that is not ASCII, of every length that the encoding has.
    pub fn character(self, rng: &mut Rng) -> Vec<u8> {
        match self {
            Self::Utf8 => {
                let above = ['\u{80}', '\u{e9}', '\u{7ff}', '\u{65e5}', '\u{ffff}', '\u{10ffff}'];
                rng.choice(above).into_iter().collect::<String>().into_bytes()
            }
            Self::Latin1 | Self::SqlAscii => vec![rng.u8(0x80..)],
            Self::EucJp => {
                let some: [&[u8]; 3] = [b"\xc6\xfc", b"\x8e\xb1", b"\x8f\xb0\xa1"];
                rng.choice(some).unwrap_or_default().to_vec()
            }
        }
    }
}

#[derive(Debug, Clone)]
pub struct Relation {
    /// As SQL has it, in the encoding of the database.
    pub name: Vec<u8>,
    pub kind: u8,
    pub is_ours: bool,
    pub columns: Vec<Vec<u8>>,
}

/// A database, and how a session there begins.
pub struct Database<'a> {
    node: &'a Node,
    pub encoding: Encoding,
}

impl<'a> Database<'a> {
    pub fn make(node: &'a Node, encoding: Encoding) -> Result<Self> {
        let name = encoding.name();
        node.connect("postgres")?.batch_execute(&format!(
            "CREATE DATABASE \"{name}\" ENCODING '{name}' TEMPLATE template0
                LC_COLLATE 'C' LC_CTYPE 'C'"
        ))?;
        let database = Self { node, encoding };
        let mut client = database.connect()?;
        client.batch_execute("CREATE EXTENSION pg_snowflake")?;
        client.batch_execute(SCHEMA)?;
        let file_fdw = "SELECT FROM pg_available_extensions WHERE name = 'file_fdw'";
        match client.query_opt(file_fdw, &[])? {
            Some(_) => client.batch_execute(FILE_FDW)?,
            None => eprintln!("this PostgreSQL has no file_fdw, so no foreign table has rows"),
        }
        Ok(database)
    }

    pub fn connect(&self) -> Result<Client> {
        self.node.connect_when_ready(self.encoding.name())
    }

    /// Statements that begin a session.
    pub fn settings(&self, values: &mut Values) -> String {
        let mut settings = format!("SET statement_timeout = '{}s'", DEADLINE.as_secs());
        while values.one_in(2) {
            let setting = values.choose(SETTINGS);
            // PostgreSQL 19 has it on, always.
            let is_fixed =
                setting.starts_with("standard_conforming") && self.node.major_version() >= 19;
            if !is_fixed {
                settings += &format!("; SET {setting}");
            }
        }
        settings
    }

    pub fn values(&self, mut rng: Rng) -> Result<Values> {
        let mut client = self.connect()?;
        let mut name = || {
            let mut name = b"named ".to_vec();
            (0..5).for_each(|_| name.extend(self.encoding.character(&mut rng)));
            literal(&name)
        };
        let names = [name(), name(), name()];
        let mut parts = FOREIGN_NAMES.split("{}");
        let mut statement = parts.next().unwrap_or_default().to_owned();
        for (name, part) in names.iter().zip(parts) {
            statement += name;
            statement += part;
        }
        client.batch_execute(&statement)?;
        client.batch_execute("SET search_path = ''")?;
        let rows = client.query(RELATIONS, &[])?;
        let relations: Vec<_> = rows
            .iter()
            .map(|row| Relation {
                name: row.get(0),
                kind: row.get::<_, i8>(1).cast_unsigned(),
                is_ours: row.get(2),
                columns: row.get(3),
            })
            .collect();
        for kind in KINDS {
            let is_there =
                relations.iter().any(|relation| relation.is_ours && relation.kind == *kind);
            ensure!(is_there, "no relation of kind {}", char::from(*kind));
        }
        client.batch_execute("CREATE TABLE kinds.gone ()")?;
        let rows = client.query(NO_RELATIONS, &[])?;
        client.batch_execute("DROP TABLE kinds.gone")?;
        let no_relations = rows.iter().map(|row| row.get(0)).collect();
        Ok(Values::new(rng, self.encoding, relations, no_relations))
    }
}
