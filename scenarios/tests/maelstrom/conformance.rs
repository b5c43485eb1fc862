//! What a node answers to any line. Which line is what: `src/maelstrom/protocol.rs`.

use anyhow::Result;
use serde_json::{Value, json};

use crate::node::Node;

/// A line whose body is `body`.
fn line(body: &str) -> Vec<u8> {
    format!(r#"{{"id":3,"src":"c1","dest":"n1","body":{body}}}"#).into_bytes()
}

fn check_code(node: &mut Node, wrong: &[u8], code: u64) -> Result<()> {
    let shown = String::from_utf8_lossy(&wrong[..wrong.len().min(100)]);
    node.process.send(wrong);
    let reply = node.message()?;
    assert_eq!(reply["body"]["code"], code, "{shown}");
    assert!(reply["body"]["text"].as_str().is_some_and(|text| text.len() < 500), "{shown}");
    Ok(())
}

#[test]
fn before_its_init_a_node_serves_nothing_and_refuses_an_init_that_cannot_be() -> Result<()> {
    let mut node = Node::start()?;
    let many: Vec<_> = (0..1025).map(|i| format!("n{i}")).collect();
    let too_many = json!({"type": "init", "msg_id": 1, "node_id": "n1", "node_ids": many});
    for (wrong, code) in [
        (r#"{"type":"generate","msg_id":1}"#, 11),
        (r#"{"type":"echo","echo":1,"msg_id":1}"#, 11),
        (r#"{"type":"init","node_id":"n1","node_ids":["n1"]}"#, 12),
        (r#"{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n0","n2"]}"#, 12),
        (r#"{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1","n2","n1"]}"#, 12),
        (r#"{"type":"init","msg_id":1,"node_id":"n2","node_ids":["n1","n2"]}"#, 12),
        (&too_many.to_string(), 10),
    ] {
        check_code(&mut node, &line(wrong), code)?;
        assert!(!node.leaves_something()?);
    }
    Ok(())
}

#[test]
fn every_wrong_line_has_its_code_and_the_next_right_one_is_served() -> Result<()> {
    let mut node = Node::started()?;
    let long = "x".repeat(1 << 20);
    let generate = line(r#"{"type":"generate","msg_id":1}"#);
    let to_another = String::from_utf8_lossy(&generate).replace("n1", &long);
    let cases: [(&[u8], u64); 7] = [
        (to_another.as_bytes(), 12),
        (b"", 12),
        (b"\xff\xfe\x00", 12),
        (long.as_bytes(), 12),
        (&line(&format!(r#"{{"type":"{long}","msg_id":1}}"#)), 10),
        (&line(r#"{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}"#), 12),
        (&[b"\xef\xbb\xbf", &generate[..]].concat(), 12),
    ];
    for (wrong, code) in cases {
        check_code(&mut node, wrong, code)?;
        assert!(node.generate()?.is_ok());
    }
    // Replies are not answered: the next line is that of the next request.
    node.process.send(&line(r#"{"type":"error","in_reply_to":1,"code":11}"#));
    assert!(node.generate()?.is_ok());
    Ok(())
}

#[test]
fn the_place_among_the_nodes_is_the_identity_whatever_their_names() -> Result<()> {
    let mut names: Vec<_> = (0..40).map(|i| format!("{i}")).collect();
    names[33] = "ein Knoten \"☃\"".to_owned();
    let mut node = Node::start()?;
    let mut ask = |body: Value| -> Result<Value> {
        let message = json!({"src": "c1", "dest": names[33], "body": body});
        node.process.send(message.to_string().as_bytes());
        node.message()
    };
    let init = json!({"type": "init", "msg_id": 1, "node_id": names[33], "node_ids": names});
    assert_eq!(ask(init)?["src"], *names[33]);
    let reply = ask(json!({"type": "generate", "msg_id": 2}))?;
    let id: i64 = reply["body"]["id"].as_str().unwrap_or_default().parse()?;
    // Of the default layout: 5 bits datacenter, 5 bits machine, 12 bits sequence.
    assert_eq!((id >> 17 & 31, id >> 12 & 31), (1, 1));
    Ok(())
}
