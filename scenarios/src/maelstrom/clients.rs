//! The harness's clients: each has one request at a time, as the workbench's, and there are as many as
//! it takes to keep to the rate while some of them wait.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::maelstrom::{
    check::{Answered, Asked},
    network::Message,
    report::Tally,
};

#[derive(Default)]
pub(super) struct Clients {
    /// Those without a request.
    idle: Vec<Client>,
    waiting: HashMap<String, Waiting>,
    /// Those that gave up, for good: a reply could still come.
    retired: HashSet<String>,
    /// When who gives up on which request.
    deadlines: VecDeque<(Instant, String, u64)>,
}

struct Client {
    name: String,
    last_msg_id: u64,
}

struct Waiting {
    client: Client,
    node: String,
    asked: Asked,
    since: Instant,
}

impl Clients {
    /// The message in which some client asks `node`. It was due at `since`.
    pub(super) fn ask(
        &mut self,
        node: &str,
        asked: Asked,
        since: Instant,
        timeout: Duration,
        tally: &mut Tally,
    ) -> Message {
        let mut client = self.idle.pop().unwrap_or_else(|| {
            tally.clients += 1;
            Client { name: format!("c{}", tally.clients), last_msg_id: 0 }
        });
        client.last_msg_id += 1;
        let (src, dest) = (client.name.clone(), node.to_owned());
        let message = Message { src: src.clone(), dest, body: asked.body(client.last_msg_id) };
        self.deadlines.push_back((since + timeout, src.clone(), client.last_msg_id));
        self.waiting.insert(src, Waiting { client, node: node.to_owned(), asked, since });
        message
    }

    /// Whether some request has no reply yet.
    pub(super) fn wait(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether there is, or was, a client of this name.
    pub(super) fn know(&self, name: &str) -> bool {
        self.waiting.contains_key(name)
            || self.retired.contains(name)
            || self.idle.iter().any(|client| client.name == name)
    }

    /// When the next one gives up.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.front().map(|(at, ..)| *at)
    }

    /// Gives a client its reply, which came at `now`.
    pub(super) fn receive(&mut self, message: &Message, now: Instant, tally: &mut Tally) {
        let Message { src, dest, body } = message;
        let Some(waiting) = self.waiting.remove(dest) else {
            if self.retired.contains(dest) {
                tally.late += 1;
            } else {
                tally.fault(format!("{src} answered {dest}, who had not asked: {body}"));
            }
            return;
        };
        let msg_id = waiting.client.last_msg_id;
        if waiting.node != *src || body.get("in_reply_to").and_then(Value::as_u64) != Some(msg_id) {
            let node = &waiting.node;
            tally.fault(format!("{src} answered {dest}, who asked {node} with {msg_id}: {body}"));
            self.waiting.insert(dest.clone(), waiting);
            return;
        }
        match waiting.asked.check(body) {
            Ok(Answered::Ok(id)) => {
                if !matches!(waiting.asked, Asked::Init { .. }) {
                    tally.ok(now.saturating_duration_since(waiting.since));
                }
                if let (Asked::Generate, Some(id)) = (&waiting.asked, id) {
                    tally.id(&id);
                }
            }
            Ok(Answered::Error(code)) => {
                if matches!(waiting.asked, Asked::Init { .. }) {
                    tally.fault(format!("{src} refused its init: {body}"));
                }
                *tally.errors.entry(code).or_default() += 1;
            }
            Err(fault) => tally.fault(format!("{src}: {fault}")),
        }
        self.idle.push(waiting.client);
    }

    /// Those whose time is up retire.
    pub(super) fn give_up(&mut self, now: Instant, tally: &mut Tally) {
        while let Some((at, name, msg_id)) = self.deadlines.pop_front() {
            // One that has its reply must not keep others from giving up: an init has longer.
            let waits = self.waiting.get(&name).is_some_and(|it| it.client.last_msg_id == msg_id);
            if waits && at > now {
                self.deadlines.push_front((at, name, msg_id));
                return;
            }
            if waits {
                let given_up = self.waiting.remove(&name);
                if let Some(Waiting { asked: Asked::Init { .. }, node, .. }) = given_up {
                    tally.fault(format!("{node} did not answer its init in time"));
                }
                self.retired.insert(name);
                tally.unanswered += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_is_given_up_in_its_own_time_whoever_had_longer() {
        let (mut clients, mut tally) = (Clients::default(), Tally::default());
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let init = Asked::Init { node: "n0".into(), nodes: vec!["n0".into()] };
        let Message { src, dest, body } = clients.ask("n0", init, start, 100 * second, &mut tally);
        let body = json!({"type": "init_ok", "in_reply_to": body["msg_id"]});
        clients.receive(&Message { src: dest, dest: src, body }, start, &mut tally);
        clients.ask("n0", Asked::Generate, start, second, &mut tally);
        clients.give_up(start, &mut tally);
        assert!(clients.wait());
        clients.give_up(start + second, &mut tally);
        assert_eq!((clients.wait(), tally.unanswered, tally.faults.count), (false, 1, 0));
    }
}
