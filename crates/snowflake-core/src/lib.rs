//! The server of `pg_snowflake`: what an ID is made of, how the next one is found, how fast the ID clock
//! may run, and what makes IDs durable.
//!
//! Nothing here reads a clock, does I/O, keeps state of its own or knows PostgreSQL: all of that is a [`Host`].
//! PostgreSQL is one; the simulation and loom are others, so what they try is what runs. A process of a server is a
//! [`Server`]; what it shares with the others is a [`State`].
//!
//! Vocabulary, used the same way everywhere:
//!
//! * *tick*: the packed counter `milliseconds since epoch << sequence_bits | sequence`.
//! * *ID clock*: the millisecond part of the tick that is issued next.
//! * *lease*: the tick up to which IDs may be returned, because it is already on disk.
//! * *drift*: ID clock minus wall clock, when positive.
//! * *node*: the pair (datacenter, machine).
//! * *host*: what surrounds a server: clocks, disk, WAL, other processes.
//! * *space*: layout and epoch; two IDs can only be compared within one space.

#![forbid(unsafe_code)]

mod batch;
mod causal;
mod clock;
mod epoch;
mod flood;
mod generator;
mod host;
mod issuer;
mod keeper;
mod layout;
mod lease;
mod node;
mod origin;
mod pacer;
mod record;
mod replayed;
mod server;
mod slots;
mod space;
mod state;
mod sync;
mod text;
mod ticker;

pub use clock::closest_offset;
pub use epoch::{Epoch, EpochError};
pub use flood::Flood;
pub use generator::{Generator, IssueError};
pub use host::{Event, Failure, Host, Step};
pub use keeper::Keeper;
pub use layout::{
    Layout, LayoutError, MIN_TIMESTAMP_BITS, PAYLOAD_BITS, Parts, Section, SectionError,
};
pub use lease::{
    Delay, Extender, FloorSource, LEAST_MILLIS, Lease, MOST_MILLIS, WRITES, create_lease,
};
pub use node::Node;
pub use origin::{Origin, OriginError};
pub use pacer::{Clocks, Pacer};
pub use record::{Record, RecordError};
pub use server::{Obstacle, Server, check_at_start};
pub use slots::{FILE_LEN, read as read_lease, record_in};
pub use space::{Decoded, EncodeError, IdError, Space};
pub use state::{Counts, State};
pub use text::{TextError, TextForm};
pub use ticker::{Tick, Ticker};
