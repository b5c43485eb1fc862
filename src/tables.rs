//! What looks at tables and changes them, with the caller's rights: partitions, adoption of existing keys,
//! and the search for servers that share an identity. Nothing here issues an ID or touches the lease.

mod adopt;
mod audit;
mod guard;
mod partition;
mod spi;
