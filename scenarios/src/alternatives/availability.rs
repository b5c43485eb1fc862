//! Who still gets keys while the network is cut.

use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde::Serialize;

use super::{
    Options,
    client::{Key, Session},
    measure::at_once,
    scheme::Scheme,
    site::{PLACES, Site},
};
use crate::interrupt;

/// What is done to the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// The cable of the first ticket server is pulled.
    One,
    /// The cables of all servers are pulled: every server is left with the clients beside it.
    All,
}

/// What became of the requests.
#[derive(Debug, Default)]
pub struct Answers {
    /// Of those that were answered.
    pub keys: Vec<Key>,
    /// How many there were.
    pub asked: usize,
    /// The longest that a client waited for a key that came, in milliseconds.
    pub slowest: f64,
}

/// Pulls the cables and asks, for all of the schemes.
pub fn during(failure: Failure, site: &Site, options: &Options) -> Result<Vec<Answers>> {
    // Connected before, as those of an application are.
    let mut clients = Vec::new();
    for scheme in Scheme::ALL {
        let places = (0..PLACES).map(|place| Client::new(site.session(scheme, place)?, place));
        clients.push(places.collect::<Result<Vec<_>>>()?);
    }
    let nodes = match failure {
        Failure::One => 1,
        Failure::All => site.network().nodes(),
    };
    (0..nodes).try_for_each(|node| site.network().unplug(node))?;
    // All schemes at once, because those that wait for nothing wait for long.
    let answers = at_once(clients, |clients| ask(clients, options));
    site.network().heal()?;
    answers
}

fn ask(clients: Vec<Client>, options: &Options) -> Result<Answers> {
    let each = at_once(clients, |mut client| {
        let mut answers = Answers::default();
        for _ in 0..options.requests {
            interrupt::check()?;
            let asked = Instant::now();
            answers.asked += 1;
            if let Some(key) = client.insert(options.patience)? {
                answers.keys.push(key);
                answers.slowest = answers.slowest.max(asked.elapsed().as_secs_f64() * 1e3);
            }
        }
        Ok(answers)
    })?;
    Ok(each.into_iter().fold(Answers::default(), |all, one| Answers {
        keys: [all.keys, one.keys].concat(),
        asked: all.asked + one.asked,
        slowest: all.slowest.max(one.slowest),
    }))
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
        let mut tickets = Vec::new();
        for server in session.take_ticket_servers() {
            tickets.push(asker(server));
        }
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

/// A ticket that comes too late is an answer to the next who asks: nobody else has it.
fn asker(
    mut ticket: impl FnMut() -> Result<i64> + Send + 'static,
) -> (mpsc::Sender<()>, mpsc::Receiver<Result<i64>>) {
    let (ask, asked) = mpsc::channel();
    let (reply, answer) = mpsc::channel();
    thread::spawn(move || while asked.recv().is_ok() && reply.send(ticket()).is_ok() {});
    (ask, answer)
}
