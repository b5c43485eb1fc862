//! A Maelstrom node that does one thing wrong: the harness has to notice. Needs no PostgreSQL.

use std::io::{self, BufRead, Write};

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use serde_json::{Value, json};

/// Speaks Maelstrom's protocol, and does one thing wrong.
#[derive(Parser)]
struct Arguments {
    /// What it does wrong
    #[arg(value_enum)]
    flaw: Flaw,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Flaw {
    /// Nothing, in a network that does not fall apart: all IDs come from the first node.
    AsksTheFirst,
    /// Every node counts for itself.
    CountsAlone,
    /// Every hundredth request has no answer.
    ForgetsSome,
    /// Every hundredth request is answered by an error.
    RefusesSome,
    /// Replies name another request.
    ConfusesRequests,
    /// Replies come from another node.
    BorrowsName,
    /// Replies have a field more.
    AddsField,
    /// What is echoed has changed.
    ChangesEcho,
    /// Lines are not messages only.
    Chatters,
    /// It ends before its input does.
    Leaves,
    /// It never begins.
    NeverStarts,
}

fn main() -> Result<()> {
    let mut node =
        Node { flaw: Arguments::parse().flaw, name: String::new(), first: String::new(), ids: 0 };
    for line in io::stdin().lock().lines() {
        let message: Value = serde_json::from_str(&line?)?;
        if !node.take(&message)? {
            break;
        }
    }
    Ok(())
}

struct Node {
    flaw: Flaw,
    name: String,
    first: String,
    ids: u64,
}

impl Node {
    /// Whether to go on.
    fn take(&mut self, message: &Value) -> Result<bool> {
        let body = &message["body"];
        match body["type"].as_str().context("no type")? {
            "init" => {
                self.name = body["node_id"].as_str().unwrap_or_default().to_owned();
                self.first = body["node_ids"][0].as_str().unwrap_or_default().to_owned();
                if self.flaw != Flaw::NeverStarts {
                    self.reply(message, json!({"type": "init_ok"}))?;
                }
            }
            "echo" if self.flaw == Flaw::ChangesEcho => {
                self.reply(message, json!({"type": "echo_ok", "echo": [body["echo"]]}))?;
            }
            "echo" => self.reply(message, json!({"type": "echo_ok", "echo": body["echo"]}))?,
            "generate" => return self.generate(message),
            // From node to node: the whole request, and the whole reply for its client.
            "ask" => {
                self.ids += 1;
                let id = format!("{}-{}", self.name, self.ids);
                let asker = message["src"].clone();
                send(
                    &self.name,
                    &asker,
                    json!({"type": "told", "request": body["request"], "id": id}),
                )?;
            }
            _ => self.reply(&body["request"], json!({"type": "generate_ok", "id": body["id"]}))?,
        }
        Ok(true)
    }

    fn generate(&mut self, message: &Value) -> Result<bool> {
        if self.flaw == Flaw::AsksTheFirst {
            send(&self.name, &json!(self.first), json!({"type": "ask", "request": message}))?;
            return Ok(true);
        }
        self.ids += 1;
        let hundredth = self.ids.is_multiple_of(100);
        let alone = self.flaw == Flaw::CountsAlone;
        let id = if alone { json!(self.ids) } else { json!([self.name, self.ids]) };
        let mut reply = json!({"type": "generate_ok", "id": id});
        match self.flaw {
            Flaw::ForgetsSome if hundredth => return Ok(true),
            Flaw::RefusesSome if hundredth => reply = json!({"type": "error", "code": 11}),
            Flaw::AddsField => reply["node"] = json!(self.name),
            Flaw::Chatters if hundredth => println!("one hundred more"),
            Flaw::Leaves if hundredth => return Ok(false),
            _ => {}
        }
        self.reply(message, reply)?;
        Ok(true)
    }

    fn reply(&self, request: &Value, mut body: Value) -> Result<()> {
        let asked = &request["body"];
        body["in_reply_to"] = asked["msg_id"].clone();
        let mut src = self.name.clone();
        if asked["type"] != "init" {
            match self.flaw {
                Flaw::ConfusesRequests => body["in_reply_to"] = json!(0),
                Flaw::BorrowsName => src.push('0'),
                _ => {}
            }
        }
        send(&src, &request["src"], body)
    }
}

fn send(src: &str, dest: &Value, body: Value) -> Result<()> {
    let line = json!({"src": src, "dest": dest, "body": body});
    Ok(writeln!(io::stdout(), "{line}")?)
}
