//! What nodes were asked, and what is to be said of their answers. Strict where the workbench is: a
//! reply has no field that the workload does not name.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::latency::{milliseconds, quantile};

/// What a client asks for.
#[derive(Debug, Clone)]
pub enum Question {
    /// That a node begins.
    Init,
    /// The same value back.
    Echo(Value),
    /// An ID that no other request gets.
    Generate,
}

/// What came of all requests but the first, `init`.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Outcome {
    /// How many there were.
    pub requests: u64,
    /// Of these, those that were answered in time, and not by an error.
    pub answered: u64,
    /// Of these, those that were answered later.
    pub late: u64,
    /// Of these, those that were not answered at all.
    pub unanswered: u64,
    /// How many errors came, by code and text.
    pub errors: BTreeMap<String, u64>,
    /// Different IDs.
    pub ids: u64,
    /// IDs that came again.
    pub duplicates: Vec<String>,
    /// Messages from node to node, which no one delivers.
    pub between_nodes: u64,
    /// What else nodes did wrong.
    pub faults: Vec<String>,
    /// Milliseconds to an answer from when the request was due: p50, p99 and the slowest.
    pub latency_ms: [f64; 3],
}

/// Every request comes from another client, so that one number tells who asked and what.
#[derive(Debug)]
pub struct Judge {
    nodes: Vec<String>,
    timeout: Duration,
    last: u64,
    asked: HashMap<u64, Asked>,
    ids: HashSet<String>,
    took: Vec<Duration>,
    outcome: Outcome,
}

#[derive(Debug)]
struct Asked {
    node: usize,
    question: Question,
    due: Instant,
}

/// `id` is the number that the network of the workbench gives.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    #[serde(rename = "id")]
    _id: Option<u64>,
    src: String,
    dest: String,
    body: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Reply {
    InitOk {},
    EchoOk {
        echo: Value,
    },
    GenerateOk {
        id: Value,
    },
    Error {
        code: i64,
        #[serde(default)]
        text: String,
    },
}

impl Judge {
    /// Of nodes with these names, which are to answer in this time.
    #[must_use]
    pub fn new(nodes: Vec<String>, timeout: Duration) -> Self {
        Self {
            nodes,
            timeout,
            last: 0,
            asked: HashMap::new(),
            ids: HashSet::new(),
            took: Vec::new(),
            outcome: Outcome::default(),
        }
    }

    /// The line that asks this node; it was due at `due`.
    pub fn ask(&mut self, node: usize, question: Question, due: Instant) -> String {
        let name = &self.nodes[node];
        let mut body = match &question {
            Question::Init => json!({"type": "init", "node_id": name, "node_ids": self.nodes}),
            Question::Echo(value) => json!({"type": "echo", "echo": value}),
            Question::Generate => json!({"type": "generate"}),
        };
        self.last += 1;
        body["msg_id"] = json!(self.last);
        if !matches!(question, Question::Init) {
            self.outcome.requests += 1;
        }
        self.asked.insert(self.last, Asked { node, question, due });
        json!({"id": self.last, "src": client(self.last), "dest": name, "body": body}).to_string()
    }

    /// The nodes that have not answered everything yet.
    #[must_use]
    pub fn waits_for(&self) -> HashSet<&str> {
        self.asked.values().map(|asked| &*self.nodes[asked.node]).collect()
    }

    /// What nodes did wrong so far.
    #[must_use]
    pub fn faults(&self) -> &[String] {
        &self.outcome.faults
    }

    /// The node did something wrong.
    pub fn fault(&mut self, node: usize, what: impl AsRef<str>) {
        self.outcome.faults.push(format!("{} {}", self.nodes[node], what.as_ref()));
    }

    /// Takes a line that the node wrote at `at`.
    pub fn hear(&mut self, node: usize, line: &[u8], at: Instant) {
        if let Err(what) = self.judge(node, line, at) {
            self.fault(node, format!("{what}: {}", String::from_utf8_lossy(line)));
        }
    }

    fn judge(&mut self, node: usize, line: &[u8], at: Instant) -> Result<(), String> {
        let message: Message = serde_json::from_slice(line)
            .map_err(|error| format!("wrote what is no message ({error})"))?;
        let Message { src, dest, mut body, .. } = message;
        if src != self.nodes[node] {
            return Err("wrote in another's name".to_owned());
        }
        if self.nodes.contains(&dest) {
            self.outcome.between_nodes += 1;
            return Ok(());
        }
        let number = body.remove("in_reply_to").and_then(|number| number.as_u64());
        let is_asked = |number: &u64| {
            let node_asked = self.asked.get(number).map(|asked| asked.node);
            node_asked == Some(node) && client(*number) == dest
        };
        let Some(number) = number.filter(is_asked) else {
            return Err("answered what it was not asked, or has answered".to_owned());
        };
        if body.remove("msg_id").is_some_and(|id| !id.is_i64() && !id.is_u64()) {
            return Err("wrote a msg_id that is no integer".to_owned());
        }
        let asked = self.asked.remove(&number);
        let reply: Reply = serde_json::from_value(Value::Object(body))
            .map_err(|error| format!("wrote what is no reply ({error})"))?;
        asked.map_or(Ok(()), |asked| self.compare(&asked, reply, at))
    }

    fn compare(&mut self, asked: &Asked, reply: Reply, at: Instant) -> Result<(), String> {
        match (&asked.question, reply) {
            (Question::Init, Reply::InitOk {}) => return Ok(()),
            (Question::Init, Reply::Error { .. }) => return Err("refused its init".to_owned()),
            (_, Reply::Error { code, text }) => {
                *self.outcome.errors.entry(format!("{code}: {text}")).or_default() += 1;
                return Ok(());
            }
            (Question::Echo(value), Reply::EchoOk { echo }) if *value == echo => {}
            (Question::Generate, Reply::GenerateOk { id }) => {
                if !self.ids.insert(id.to_string()) {
                    self.outcome.duplicates.push(id.to_string());
                }
            }
            _ => return Err("did not answer with what it was asked for".to_owned()),
        }
        let took = at.saturating_duration_since(asked.due);
        if took <= self.timeout {
            self.took.push(took);
        } else {
            self.outcome.late += 1;
        }
        Ok(())
    }

    /// What there is to say.
    #[must_use]
    pub fn conclude(self) -> Outcome {
        let at = |share| milliseconds(quantile(self.took.iter().copied(), share));
        Outcome {
            answered: self.took.len() as u64,
            unanswered: self.asked.len() as u64,
            ids: self.ids.len() as u64,
            latency_ms: [0.5, 0.99, 1.0].map(at),
            ..self.outcome
        }
    }
}

fn client(number: u64) -> String {
    format!("c{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// What comes of a question when the second of two nodes writes this.
    fn outcome(line: &str) -> Outcome {
        let mut judge = Judge::new(vec!["n0".into(), "n1".into()], SECOND);
        judge.ask(1, Question::Generate, Instant::now());
        judge.hear(1, line.as_bytes(), Instant::now());
        judge.conclude()
    }

    fn message(dest: &str, body: &str) -> String {
        format!(r#"{{"src":"n1","dest":"{dest}","body":{body}}}"#)
    }

    #[test]
    fn only_a_reply_of_exactly_the_right_fields_is_an_answer() {
        for good in [
            r#"{"type":"generate_ok","in_reply_to":1,"id":[7]}"#,
            r#"{"type":"generate_ok","in_reply_to":1,"id":null,"msg_id":5}"#,
        ] {
            let Outcome { answered, ids, faults, .. } = outcome(&message("c1", good));
            assert_eq!((answered, ids, faults.len()), (1, 1, 0), "{good}");
        }
        for bad in [
            "null",
            r#"{"type":"generate_ok","in_reply_to":1}"#,
            r#"{"type":"generate_ok","in_reply_to":2,"id":1}"#,
            r#"{"type":"generate_ok","id":1}"#,
            r#"{"type":"generate","in_reply_to":1,"id":1}"#,
            r#"{"type":"echo_ok","in_reply_to":1,"echo":1}"#,
            r#"{"type":"generate_ok","in_reply_to":1,"id":1,"node":"n1"}"#,
            r#"{"type":"generate_ok","in_reply_to":1,"id":1,"msg_id":"5"}"#,
            r#"{"type":"generate_ok","in_reply_to":1,"id":1},"to":"c1""#,
            r#"{"type":"error","in_reply_to":1,"code":"11"}"#,
            r#"{"type":"error","in_reply_to":1,"code":11,"text":1}"#,
        ] {
            let Outcome { answered, faults, .. } = outcome(&message("c1", bad));
            assert_eq!((answered, faults.len()), (0, 1), "{bad}");
        }
    }

    #[test]
    fn a_late_answer_is_none_but_its_id_counts() {
        let mut judge = Judge::new(vec!["n1".into()], SECOND);
        let due = Instant::now();
        for (number, seconds, id) in [(1, 1, "7"), (2, 2, "7"), (3, 1, "\"7\"")] {
            judge.ask(0, Question::Generate, due);
            let body = format!(r#"{{"type":"generate_ok","in_reply_to":{number},"id":{id}}}"#);
            let line = message(&format!("c{number}"), &body);
            judge.hear(0, line.as_bytes(), due + seconds * SECOND);
        }
        let Outcome { requests, answered, late, ids, duplicates, .. } = judge.conclude();
        assert_eq!((requests, answered, late, ids, duplicates.len()), (3, 2, 1, 2, 1));
    }
}
