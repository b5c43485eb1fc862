//! The ways to get unique keys for several servers, and what each takes to set up.

use serde::{Deserialize, Serialize};

/// One of the alternatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// 122 random bits.
    UuidV4,
    /// 48 bits of milliseconds, then random ones.
    UuidV7,
    /// A sequence a server, with steps as wide as there are servers.
    AutoIncrement,
    /// One more server, which all clients ask.
    Ticket,
    /// Two more servers, one for odd and one for even numbers; either will do.
    TicketPair,
    /// This extension.
    Snowflake,
}

/// RFC 9562 for servers without `uuidv7()`: the milliseconds over the first 48 bits of a random
/// UUID, and its version, 4, made a 7 by the two bits that it lacks.
const V7_IN_SQL: &str = "encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) placing
    substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
    FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid";

/// What a ticket server is asked.
pub(super) const TICKET: &str = "nextval('tickets')";

impl Scheme {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::UuidV4,
        Self::UuidV7,
        Self::AutoIncrement,
        Self::Ticket,
        Self::TicketPair,
        Self::Snowflake,
    ];

    /// What people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UuidV4 => "UUID v4",
            Self::UuidV7 => "UUID v7",
            Self::AutoIncrement => "auto-increment by 3",
            Self::Ticket => "ticket server",
            Self::TicketPair => "two ticket servers",
            Self::Snowflake => "pg_snowflake",
        }
    }

    /// The table that its keys go to.
    #[must_use]
    pub fn table(self) -> &'static str {
        match self {
            Self::UuidV4 => "uuid_v4",
            Self::UuidV7 => "uuid_v7",
            Self::AutoIncrement => "auto_increment",
            Self::Ticket => "ticket",
            Self::TicketPair => "ticket_pair",
            Self::Snowflake => "snowflake",
        }
    }

    /// Bytes of a key.
    #[must_use]
    pub fn bytes(self) -> u32 {
        match self {
            Self::UuidV4 | Self::UuidV7 => 16,
            _ => 8,
        }
    }

    pub(super) fn key_type(self) -> &'static str {
        if self.bytes() == 16 { "uuid" } else { "bigint" }
    }

    /// How many other servers a client asks.
    #[must_use]
    pub fn tickets(self) -> usize {
        match self {
            Self::Ticket => 1,
            Self::TicketPair => 2,
            _ => 0,
        }
    }

    /// The key that a server of this version makes itself; None if another server makes it.
    #[must_use]
    pub fn expression(self, version: u32) -> Option<&'static str> {
        match self {
            Self::UuidV4 => Some("gen_random_uuid()"),
            Self::UuidV7 if version >= 18 => Some("uuidv7()"),
            Self::UuidV7 => Some(V7_IN_SQL),
            Self::AutoIncrement => Some("nextval('keys')"),
            Self::Snowflake => Some("snowflake_nextval()"),
            Self::Ticket | Self::TicketPair => None,
        }
    }

    /// What server number `place`, from 0, of `places` is given.
    pub(super) fn schema(self, version: u32, place: usize, places: usize) -> String {
        let before = match self {
            Self::AutoIncrement => {
                format!("CREATE SEQUENCE keys INCREMENT BY {places} START {};", place + 1)
            }
            Self::Snowflake => "CREATE EXTENSION pg_snowflake;".to_owned(),
            _ => String::new(),
        };
        let (table, key) = (self.table(), self.key_type());
        let default = self.expression(version).map(|sql| format!(" DEFAULT {sql}"));
        let default = default.unwrap_or_default();
        format!("{before} CREATE TABLE {table} (id {key} PRIMARY KEY{default}, place int NOT NULL)")
    }

    /// What has to be done so that a fourth server makes keys, too.
    #[must_use]
    pub fn fourth_server(self) -> &'static str {
        match self {
            Self::UuidV4 => "Nothing.",
            Self::UuidV7 => "Nothing; its clock has to be right, for the order.",
            Self::AutoIncrement => {
                "On every server, for every sequence: `INCREMENT BY 4` and `RESTART` at a number of \
                 its own remainder above all that any server has given out, while none gives out \
                 any. Spared by steps wide enough from the beginning."
            }
            Self::Ticket => "A way to the ticket server, and a login there. Nothing elsewhere.",
            Self::TicketPair => {
                "A way to both ticket servers, and logins there. (A third *ticket* server takes what \
                 auto-increment takes.)"
            }
            Self::Snowflake => {
                "On it: the extension in `shared_preload_libraries`, and a `machine_id` that no other \
                 server has (of 1,024 with `datacenter_id`), both before its start. Nothing elsewhere."
            }
        }
    }
}

/// What the ticket server of this number, of all that there are, is given. Flickr's was a row that every client
/// replaced; a sequence is PostgreSQL's way, and asks less of the server.
pub(super) fn ticket_schema(number: usize, of: usize) -> String {
    format!("CREATE SEQUENCE tickets INCREMENT BY {of} START {}", number + 1)
}
