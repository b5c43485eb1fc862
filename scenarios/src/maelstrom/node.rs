//! A node: what it answers to which line, and when it ends. It serves one line after the other; while
//! its server starts, requests wait in its input.

use std::{
    collections::{HashSet, VecDeque},
    io::{self, BufRead, Write},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{
    interrupt,
    maelstrom::{
        protocol::{Code, Fault, Reply, Request, parse},
        server::{MOST, Server},
    },
};

/// How often it looks whether a signal has come.
const LOOK: Duration = Duration::from_millis(50);

/// Serves standard input until it ends, or until a signal asks to end.
pub fn run() -> Result<()> {
    interrupt::catch()?;
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let read = io::stdin().lock().split(b'\n').map_while(Result::ok);
        read.for_each(|line| sender.send(line).unwrap_or_default());
    });
    let (mut node, mut waiting) = (Node::default(), VecDeque::new());
    while !interrupt::is_set() {
        waiting.extend(lines.try_iter());
        let Some(line) = waiting.pop_front() else {
            match lines.recv_timeout(LOOK) {
                Ok(line) => waiting.push_back(line),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            continue;
        };
        if let Some(answer) = node.answer(&line, waiting.len()) {
            let mut output = io::stdout().lock();
            let written = output.write_all(answer.as_bytes()).and_then(|()| output.flush());
            written.context("writing a message")?;
        }
    }
    Ok(())
}

/// One that has had its init has a name and a server.
#[derive(Default)]
struct Node(Option<(String, Server)>);

impl Node {
    /// The line that answers this one, if it needs an answer. Others wait behind it.
    fn answer(&mut self, line: &[u8], waiting: usize) -> Option<String> {
        let (address, parsed) = parse(line);
        let reply = parsed.and_then(|request| {
            request.map(|request| self.serve(request, &address.dest, waiting)).transpose()
        });
        let reply = reply.unwrap_or_else(|fault| Some(Reply::Error(fault)))?;
        let own = self.0.as_ref().map_or(&address.dest, |(name, _)| name);
        Some(address.reply(own, &reply))
    }

    fn serve(&mut self, request: Request, dest: &str, waiting: usize) -> Result<Reply, Fault> {
        match request {
            Request::Init { node_id, node_ids } => self.init(node_id, &node_ids, dest),
            Request::Echo(echo) => self.server(dest).map(|_| Reply::EchoOk { echo }),
            Request::Generate => {
                let id = self.server(dest)?.issue(waiting + 1)?;
                Ok(Reply::GenerateOk { id: id.to_string() })
            }
        }
    }

    fn init(&mut self, name: String, all: &[String], dest: &str) -> Result<Reply, Fault> {
        if self.0.is_some() {
            return Err(Fault::new(Code::MalformedRequest, "this node has had its init"));
        }
        is_for(&name, dest)?;
        let server = Server::start(&name, place(&name, all)?).map_err(|error| {
            Fault::new(Code::Abort, format!("no server was started: {error:#}"))
        })?;
        self.0 = Some((name, server));
        Ok(Reply::InitOk)
    }

    fn server(&mut self, dest: &str) -> Result<&mut Server, Fault> {
        let early = || Fault::new(Code::TemporarilyUnavailable, "this node has had no init yet");
        let (name, server) = self.0.as_mut().ok_or_else(early)?;
        is_for(name, dest)?;
        Ok(server)
    }
}

fn is_for(name: &str, dest: &str) -> Result<(), Fault> {
    let text = || format!("this node is {name}, and the message is for {dest}");
    (name == dest).then_some(()).ok_or_else(|| Fault::new(Code::MalformedRequest, text()))
}

/// Where the node is in the list of all nodes, which makes its server another one than the others'.
fn place(name: &str, all: &[String]) -> Result<usize, Fault> {
    let malformed = |text| Fault::new(Code::MalformedRequest, text);
    if all.iter().collect::<HashSet<_>>().len() < all.len() {
        return Err(malformed("node_ids has a name more than once"));
    }
    if all.len() > MOST {
        return Err(Fault::new(Code::NotSupported, format!("there can be {MOST} nodes at most")));
    }
    let place = all.iter().position(|other| other == name);
    place.ok_or_else(|| malformed("node_id is not among node_ids"))
}
