//! A Maelstrom node that does one thing wrong with every tenth request: the runner has to notice. Needs
//! no PostgreSQL.

use std::{env, io};

use anyhow::{Result, bail};
use serde_json::{Value, json};

fn main() -> Result<()> {
    let flaw = env::args().nth(1).unwrap_or_default();
    let mut node = Value::Null;
    let mut kept_back = Vec::new();
    for (count, line) in (0..).zip(io::stdin().lines()) {
        let request: Value = serde_json::from_str(&line?)?;
        let asked = &request["body"];
        let mut body = match asked["type"].as_str() {
            Some("init") => json!({"type": "init_ok"}),
            Some("echo") => json!({"type": "echo_ok", "echo": asked["echo"]}),
            _ => json!({"type": "generate_ok", "id": format!("{node} {count}")}),
        };
        body["in_reply_to"] = asked["msg_id"].clone();
        if count == 0 {
            node = asked["node_id"].clone();
        }
        let mut reply = json!({"src": node, "dest": request["src"], "body": body});
        match &*flaw {
            "never-starts" if count == 0 => continue,
            _ if count == 0 || count % 10 > 0 => {}
            "" | "fails-at-the-end" => {}
            "counts-alone" => reply["body"]["id"] = json!(count),
            "forgets" => continue,
            "is-late" => {
                kept_back.push(reply);
                continue;
            }
            "refuses" => {
                let id = &asked["msg_id"];
                let error =
                    json!({"type": "error", "code": 11, "text": "not now", "in_reply_to": id});
                reply["body"] = error;
            }
            "confuses-requests" => reply["body"]["in_reply_to"] = json!(0),
            "confuses-clients" => reply["dest"] = json!("c0"),
            "borrows-name" => reply["src"] = json!("n9"),
            "adds-field" => reply["body"]["node"] = node.clone(),
            "changes-echo" => reply["body"]["echo"] = json!([asked["echo"]]),
            "asks-a-node" => reply["dest"] = json!("n0"),
            "answers-twice" => println!("{reply}"),
            "chatters" => println!("ten more"),
            "leaves" => return Ok(()),
            _ => bail!("there is no flaw {flaw}"),
        }
        println!("{reply}");
    }
    kept_back.iter().for_each(|reply| println!("{reply}"));
    if flaw == "fails-at-the-end" {
        bail!("as it was told to");
    }
    Ok(())
}
