//! Patroni's REST API, as far as it is needed.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::json;
use ureq::{Agent, Body, Error, http::Response};

const CONNECTING: Duration = Duration::from_secs(2);
/// A switchover is answered when it is over, or when Patroni has no patience any more.
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
    let text = text(agent().get(format!("http://{api}/cluster")).call())?;
    let cluster: Cluster = serde_json::from_str(&text).context("reading what Patroni answered")?;
    Ok(cluster.members)
}

/// Whether something answers well at `address`.
#[must_use]
pub fn answers(address: SocketAddr, path: &str) -> bool {
    text(agent().get(format!("http://{address}{path}")).call()).is_ok()
}

/// Asks the leader to hand over; returns when another one has taken over.
pub fn switchover(api: SocketAddr, leader: &str) -> Result<()> {
    let request = agent().post(format!("http://{api}/switchover"));
    let body = json!({ "leader": leader }).to_string();
    let answer = text(request.content_type("application/json").send(body));
    answer.map(drop).context("asking the leader to hand over")
}

/// A new one each time, as members come and go.
fn agent() -> Agent {
    let config = Agent::config_builder()
        .timeout_connect(Some(CONNECTING))
        .timeout_global(Some(ANSWERING))
        // The text says why.
        .http_status_as_error(false)
        // Nothing here is beyond one.
        .proxy(None);
    config.build().into()
}

fn text(answer: Result<Response<Body>, Error>) -> Result<String> {
    let (head, mut body) = answer?.into_parts();
    let text = body.read_to_string()?;
    if !head.status.is_success() {
        bail!("answered with {}: {text}", head.status);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
        thread,
    };

    use super::*;

    #[test]
    fn a_refusal_has_its_status_and_its_reason() -> Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let api = listener.local_addr()?;
        let patroni = thread::spawn(move || {
            let (mut client, _) = listener.accept()?;
            let mut request = [0; 4096];
            let mut length = 0;
            while !request[..length].ends_with(b"}") {
                length += client.read(&mut request[length..])?;
            }
            // As Python's server answers: it ends with the connection.
            client.write_all(b"HTTP/1.0 503 Service Unavailable\r\n\r\nno leader")?;
            Ok::<_, anyhow::Error>(String::from_utf8_lossy(&request[..length]).into_owned())
        });
        let refused = format!("{:#}", switchover(api, "member1").unwrap_err());
        assert!(refused.contains("503") && refused.ends_with("no leader"), "{refused}");
        let request = patroni.join().unwrap()?;
        assert!(request.starts_with("POST /switchover HTTP/1.1\r\n"), "{request}");
        assert!(request.ends_with(r#"{"leader":"member1"}"#), "{request}");
        Ok(())
    }
}
