//! What a node answers to any line. Which line is what: `src/maelstrom/protocol/tests.rs`.

use anyhow::Result;
use serde_json::{Value, json};

use crate::node::Node;

/// A line whose body is `body`.
fn line(body: &str) -> Vec<u8> {
    format!(r#"{{"id":3,"src":"c1","dest":"n1","body":{body}}}"#).into_bytes()
}

fn check_codes(node: &mut Node, cases: &[(&[u8], u64)]) -> Result<()> {
    for (wrong, code) in cases {
        let shown = String::from_utf8_lossy(&wrong[..wrong.len().min(100)]);
        let reply = node.answer(wrong)?;
        let body = &reply["body"];
        assert_eq!((&body["type"], &body["code"]), (&json!("error"), &json!(code)), "{shown}");
        assert!(body["text"].as_str().is_some_and(|text| text.len() < 300), "{shown}: {reply}");
        assert_eq!(reply.as_object().map(|fields| fields.len()), Some(3), "{shown}: {reply}");
    }
    Ok(())
}

#[test]
fn before_its_init_a_node_serves_nothing_and_refuses_an_init_that_cannot_be() -> Result<()> {
    let mut node = Node::start()?;
    let many: Vec<_> = (0..1025).map(|i| format!("n{i}")).collect();
    let too_many =
        json!({"type": "init", "msg_id": 1, "node_id": "n1", "node_ids": many}).to_string();
    check_codes(
        &mut node,
        &[
            (&line(r#"{"type":"generate","msg_id":1}"#), 11),
            (&line(r#"{"type":"echo","echo":1,"msg_id":1}"#), 11),
            (&line(r#"{"type":"read","msg_id":1}"#), 10),
            (b"", 12),
            (&line(r#"{"type":"init","msg_id":1,"node_id":"n1"}"#), 12),
            (&line(r#"{"type":"init","node_id":"n1","node_ids":["n1"]}"#), 12),
            (&line(r#"{"type":"init","msg_id":1,"node_id":"n1","node_ids":[]}"#), 12),
            (&line(r#"{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n0","n2"]}"#), 12),
            (&line(r#"{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1","n2","n1"]}"#), 12),
            (&line(r#"{"type":"init","msg_id":1,"node_id":"n2","node_ids":["n1","n2"]}"#), 12),
            (&line(&too_many), 10),
        ],
    )?;
    node.close();
    assert!(node.wait()?.success());
    assert!(!node.leaves_something()?);
    Ok(())
}

#[test]
fn every_wrong_line_has_its_code_and_the_next_right_one_is_served() -> Result<()> {
    let mut node = Node::started()?;
    let long = "x".repeat(1 << 20);
    let to_another =
        format!(r#"{{"src":"c1","dest":"{long}","body":{{"type":"generate","msg_id":1}}}}"#);
    let cases: [(&[u8], u64); 21] = [
        (to_another.as_bytes(), 12),
        (b"", 12),
        (b"   ", 12),
        (b"hello", 12),
        (b"{", 12),
        (b"[]", 12),
        (b"null", 12),
        (b"{\"src\":\"c1\"}", 12),
        (b"\xff\xfe\x00", 12),
        (&line("\"\u{1}\""), 12),
        (long.as_bytes(), 12),
        (&line(&format!(r#"{{"type":"{long}","msg_id":1}}"#)), 10),
        (&line("{}"), 12),
        (&line(r#"{"type":"generate"}"#), 12),
        (&line(r#"{"type":"generate","msg_id":"1"}"#), 12),
        (&line(r#"{"type":"generate","msg_id":1.5}"#), 12),
        (&line(r#"{"type":"echo","msg_id":1}"#), 12),
        (&line(r#"{"type":"topology","msg_id":1,"topology":{}}"#), 10),
        (&line(r#"{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}"#), 12),
        (br#"{"src":"c1","dest":"n2","body":{"type":"generate","msg_id":1}}"#, 12),
        (&[b"\xef\xbb\xbf", &line(r#"{"type":"generate","msg_id":1}"#)[..]].concat(), 12),
    ];
    for case in cases {
        check_codes(&mut node, &[case])?;
        assert!(node.generate()?.is_ok());
    }
    // Replies are not answered: the next line is that of the next request.
    node.send(&line(r#"{"type":"error","in_reply_to":1,"code":11}"#))?;
    assert!(node.generate()?.is_ok());
    Ok(())
}

#[test]
fn replies_are_written_as_the_protocol_says_and_echo_what_came() -> Result<()> {
    let mut node = Node::started()?;
    for id in ["0", "-7", "9007199254740993", "123456789012345678901234567890"] {
        node.send(&line(&format!(r#"{{"type":"generate","msg_id":{id}}}"#)))?;
        let reply = node.line()?;
        let start = format!(
            r#"{{"src":"n1","dest":"c1","body":{{"type":"generate_ok","in_reply_to":{id},"id":""#
        );
        let issued = reply.strip_prefix(&start).and_then(|rest| rest.strip_suffix("\"}}"));
        let issued = issued.unwrap_or_else(|| panic!("{reply}"));
        assert!(issued.parse::<i64>().is_ok_and(|id| id > 0), "{reply}");
    }
    let long = format!("\"{}\"", "x".repeat(1 << 20));
    for value in ["null", "1e400", "-0.0", r#"{"a":[1,{"b":"\ud83d☃\u0000"}],"a":2}"#, "[ ]", &long]
    {
        node.send(&line(&format!(r#"{{"type":"echo","msg_id":1,"echo":{value}}}"#)))?;
        let expected = format!(
            r#"{{"src":"n1","dest":"c1","body":{{"type":"echo_ok","in_reply_to":1,"echo":{value}}}}}"#
        );
        assert!(node.line()? == expected, "{}", &value[..value.len().min(100)]);
    }
    Ok(())
}

#[test]
fn the_place_among_the_nodes_is_the_identity_whatever_their_names() -> Result<()> {
    let mut names: Vec<_> = (0..40).map(|i| format!("{i}")).collect();
    names[33] = "ein Knoten \"☃\"".to_owned();
    let mut node = Node::start()?;
    let mut ask = |body: Value| -> Result<Value> {
        let message = json!({"src": "c1", "dest": names[33], "body": body});
        let reply = node.answer(message.to_string().as_bytes())?;
        assert_eq!(reply["src"], names[33].as_str());
        Ok(reply)
    };
    let init = json!({"type": "init", "msg_id": 1, "node_id": names[33], "node_ids": names});
    assert_eq!(ask(init)?["body"]["type"], "init_ok");
    let reply = ask(json!({"type": "generate", "msg_id": 2}))?;
    let id: i64 = reply["body"]["id"].as_str().unwrap_or_default().parse()?;
    // Of the default layout: 5 bits datacenter, 5 bits machine, 12 bits sequence.
    assert_eq!((id >> 17 & 31, id >> 12 & 31), (1, 1));
    Ok(())
}
