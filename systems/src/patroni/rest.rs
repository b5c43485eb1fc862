//! Patroni's REST API, as far as it is needed: one request, one JSON document or text.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};

const CONNECTING: Duration = Duration::from_secs(2);
/// A switchover is answered when it is over.
const ANSWERING: Duration = Duration::from_secs(90);

/// What `GET /cluster` says of a member.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Status {
    /// The member's name.
    pub name: String,
    /// `leader`, `sync_standby` or `replica`.
    pub role: String,
    /// `running` or `streaming` when all is well.
    pub state: String,
    /// None while it is not known.
    pub timeline: Option<u64>,
}

/// All members, as the one whose API listens at `api` sees them.
pub fn members(api: SocketAddr) -> Result<Vec<Status>> {
    #[derive(Deserialize)]
    struct Cluster {
        members: Vec<Status>,
    }
    let text = request(api, "GET", "/cluster", None)?;
    let cluster: Cluster = serde_json::from_str(&text).context("reading what Patroni answered")?;
    Ok(cluster.members)
}

/// Whether something answers well at `address`.
#[must_use]
pub fn answers(address: SocketAddr, path: &str) -> bool {
    request(address, "GET", path, None).is_ok()
}

/// Asks the leader to hand over; returns when another one has taken over.
pub fn switchover(api: SocketAddr, leader: &str) -> Result<()> {
    request(api, "POST", "/switchover", Some(json!({ "leader": leader }))).map(drop)
}

fn request(address: SocketAddr, method: &str, path: &str, body: Option<Value>) -> Result<String> {
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let mut stream = TcpStream::connect_timeout(&address, CONNECTING)?;
    stream.set_read_timeout(Some(ANSWERING))?;
    // HTTP/1.0, so that the answer ends with the connection.
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (status, text) = parse(&answer).with_context(|| format!("no HTTP answer: {answer:?}"))?;
    if !(200..300).contains(&status) {
        bail!("{method} {path} was answered with {status}: {text}");
    }
    Ok(text.to_owned())
}

fn parse(answer: &str) -> Option<(u16, &str)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/")?.split(' ').nth(1)?.parse().ok()?;
    Some((status, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_body_are_read_from_an_answer() {
        let answer = "HTTP/1.0 503 Service Unavailable\r\nServer: x\r\n\r\nno leader";
        assert_eq!(parse(answer), Some((503, "no leader")));
        assert_eq!(parse("HTTP/1.0 200 OK\r\n\r\n"), Some((200, "")));
        assert_eq!(parse("garbage"), None);
    }
}
