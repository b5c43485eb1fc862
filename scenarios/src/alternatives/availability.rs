//! Who still gets keys while the network is cut.

use std::{sync::mpsc, thread, time::Duration};

use anyhow::Result;

use super::{
    Options,
    client::{Key, Session},
    measure::{Load, ask, at_once},
    scheme::Scheme,
    site::{PLACES, Site},
};

/// What is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The first ticket server.
    One,
    /// Every server: each is left with the clients beside it.
    All,
}

/// Cuts the network and asks, for all of the schemes.
pub fn during(failure: Failure, site: &Site, options: &Options) -> Result<Vec<Load>> {
    // Connected before, as those of an application are.
    let mut clients = Vec::new();
    for scheme in Scheme::ALL {
        let places =
            (0..PLACES).map(|place| Client::new(site.session_by_relay(scheme, place)?, place));
        clients.push(places.collect::<Result<Vec<_>>>()?);
    }
    let network = site.network();
    let nodes = if failure == Failure::One { 1 } else { network.nodes() };
    (0..nodes).for_each(|node| network.cut_off(node));
    // All schemes at once, because those that wait for nothing wait for long.
    let answers = at_once(clients, |clients| {
        let goes_on = |asked| asked < options.requests;
        ask(clients, goes_on, |client: &mut Client| client.insert(options.patience))
    });
    network.heal();
    answers
}

/// A session whose ticket servers may keep it waiting.
struct Client {
    session: Session,
    /// A thread for each ticket server, because a network that is cut does not say so: each is told
    /// to get a ticket, and may never answer.
    tickets: Vec<(mpsc::Sender<()>, mpsc::Receiver<Result<i64>>)>,
    /// The one that answered last.
    at: usize,
}

impl Client {
    /// Clients begin with different ticket servers: at every other place with the first one.
    fn new(mut session: Session, place: usize) -> Result<Self> {
        let tickets: Vec<_> = session.take_ticket_servers().into_iter().map(asker).collect();
        let at = place % tickets.len().max(1);
        Ok(Self { session, tickets, at })
    }

    /// None if no ticket comes from any server within this time, for each.
    fn insert(&mut self, patience: Duration) -> Result<Option<Key>> {
        if self.tickets.is_empty() {
            return self.session.insert_with(None).map(Some);
        }
        for _ in 0..self.tickets.len() {
            let (ask, answer) = &self.tickets[self.at];
            if ask.send(()).is_ok()
                && let Ok(Ok(ticket)) = answer.recv_timeout(patience)
            {
                return self.session.insert_with(Some(ticket)).map(Some);
            }
            self.at = (self.at + 1) % self.tickets.len();
        }
        Ok(None)
    }
}

/// A ticket that comes too late is an answer to the next who asks: no other client has it.
fn asker(
    mut ticket: impl FnMut() -> Result<i64> + Send + 'static,
) -> (mpsc::Sender<()>, mpsc::Receiver<Result<i64>>) {
    let (ask, asked) = mpsc::channel();
    let (reply, answer) = mpsc::channel();
    thread::spawn(move || while asked.recv().is_ok() && reply.send(ticket()).is_ok() {});
    (ask, answer)
}
