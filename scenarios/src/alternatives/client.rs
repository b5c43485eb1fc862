//! A client that inserts rows and learns their keys, wherever those come from.

use std::error::Error;

use anyhow::{Context, Result};
use postgres::{
    Client, Statement,
    types::{FromSql, Type, accepts},
};

use super::scheme::{Scheme, TICKET};

/// A key of either type, in the order that an index has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(u128);

impl<'a> FromSql<'a> for Key {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        // Big endian, and no scheme has negative numbers.
        Ok(Self(raw.iter().fold(0, |key, &byte| key << 8 | u128::from(byte))))
    }

    accepts!(INT8, UUID);
}

/// A session at one server, and at the ticket servers if its scheme has any.
pub struct Session {
    client: Client,
    insert: Statement,
    bulk: Statement,
    place: i32,
    tickets: Vec<(Client, Statement, Statement)>,
    turn: usize,
}

impl Session {
    pub(super) fn new(scheme: Scheme, place: usize, mut client: Client) -> Result<Self> {
        let table = scheme.table();
        let (row, rows) = if scheme.tickets() == 0 {
            ("(place) VALUES ($1)", "(place) SELECT $1 FROM generate_series(1, $2::int)")
        } else {
            ("(place, id) VALUES ($1, $2)", "(place, id) SELECT $1, unnest($2::bigint[])")
        };
        let insert = client.prepare(&format!("INSERT INTO {table} {row} RETURNING id"))?;
        let bulk = client.prepare(&format!("INSERT INTO {table} {rows}"))?;
        let place = i32::try_from(place)?;
        Ok(Self { client, insert, bulk, place, tickets: Vec::new(), turn: 0 })
    }

    pub(super) fn add_ticket_server(&mut self, mut client: Client) -> Result<()> {
        let one = client.prepare(&format!("SELECT {TICKET}"))?;
        let many = format!("SELECT array_agg({TICKET}) FROM generate_series(1, $1::int)");
        let many = client.prepare(&many)?;
        self.tickets.push((client, one, many));
        Ok(())
    }

    /// Goes on to the next ticket server, this many times.
    pub fn turn(&mut self, times: usize) {
        self.turn += times;
    }

    /// The ticket server that is next.
    fn ticket_server(&mut self) -> Result<&mut (Client, Statement, Statement)> {
        let count = self.tickets.len().max(1);
        self.tickets.get_mut(self.turn % count).context("a scheme without ticket servers")
    }

    /// A number from the ticket server that is next.
    pub fn ticket(&mut self) -> Result<i64> {
        let (client, one, _) = self.ticket_server()?;
        let ticket = client.query_one(one, &[])?.get(0);
        self.turn(1);
        Ok(ticket)
    }

    /// Takes the ticket servers away, each as something to be asked by itself.
    pub fn take_ticket_servers(
        &mut self,
    ) -> Vec<impl FnMut() -> Result<i64> + Send + 'static + use<>> {
        let servers = std::mem::take(&mut self.tickets).into_iter();
        let ask = |(mut client, one, _): (Client, Statement, Statement)| {
            move || Ok(client.query_one(&one, &[])?.get(0))
        };
        servers.map(ask).collect()
    }

    /// A new row, for which a client of this scheme has to have a ticket, or not.
    pub fn insert_with(&mut self, ticket: Option<i64>) -> Result<Key> {
        let row = match ticket {
            Some(ticket) => self.client.query_one(&self.insert, &[&self.place, &ticket]),
            None => self.client.query_one(&self.insert, &[&self.place]),
        };
        Ok(row?.get(0))
    }

    /// A new row, with all that it takes.
    pub fn insert(&mut self) -> Result<Key> {
        let ticket = if self.tickets.is_empty() { None } else { Some(self.ticket()?) };
        self.insert_with(ticket)
    }

    /// This many rows with one statement.
    pub fn insert_many(&mut self, rows: i32) -> Result<()> {
        if self.tickets.is_empty() {
            self.client.execute(&self.bulk, &[&self.place, &rows])?;
        } else {
            let (client, _, many) = self.ticket_server()?;
            let tickets: Vec<i64> = client.query_one(&*many, &[&rows])?.get(0);
            self.turn(1);
            self.client.execute(&self.bulk, &[&self.place, &tickets])?;
        }
        Ok(())
    }

    /// A key alone: a ticket, or what the server's expression gives.
    pub fn key(&mut self, expression: Option<&str>) -> Result<Key> {
        match expression {
            Some(key) => Ok(self.client.query_one(&format!("SELECT {key}"), &[])?.get(0)),
            None => Ok(Key(u128::try_from(self.ticket()?)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_both_types_are_in_the_order_of_an_index() -> Result<(), Box<dyn Error + Sync + Send>>
    {
        let key = |raw: &[u8]| Key::from_sql(&Type::UUID, raw);
        assert!(key(&1_i64.to_be_bytes())? < key(&256_i64.to_be_bytes())?);
        assert!(key(&[1; 16])? < key(&[2; 16])?);
        Ok(())
    }
}
