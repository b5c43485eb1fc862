//! What a reply must look like. Strict where the workbench is: it refuses fields that the workload
//! does not name (`check-body` in `src/maelstrom/client.clj`, `Message` in `src/maelstrom/net.clj`).

use serde_json::{Map, Value, json};

use crate::maelstrom::network::Message;

/// What a client asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// That a node begins.
    Init {
        /// Its name.
        node: String,
        /// All names.
        nodes: Vec<String>,
    },
    /// Something back.
    Echo(Value),
    /// An ID.
    Generate,
}

/// A reply as it should be.
#[derive(Debug, PartialEq)]
pub enum Answered {
    /// What was asked for; an ID for `generate`.
    Ok(Option<Value>),
    /// An error with this code.
    Error(i64),
}

impl Asked {
    /// The body of the request.
    #[must_use]
    pub fn body(&self, msg_id: u64) -> Value {
        match self {
            Self::Init { node, nodes } => {
                json!({"type": "init", "msg_id": msg_id, "node_id": node, "node_ids": nodes})
            }
            Self::Echo(value) => json!({"type": "echo", "msg_id": msg_id, "echo": value}),
            Self::Generate => json!({"type": "generate", "msg_id": msg_id}),
        }
    }

    /// Checks the body of a reply, except for `in_reply_to`.
    pub fn check(&self, body: &Value) -> Result<Answered, String> {
        let fault = |what: &str| Err(format!("{what}: {body}"));
        let Some(fields) = body.as_object() else {
            return fault("the body is no object");
        };
        let kind = fields.get("type").and_then(Value::as_str);
        if kind == Some("error") {
            return match fields.get("code").and_then(Value::as_i64) {
                Some(code) if fields.get("text").is_none_or(Value::is_string) => {
                    Ok(Answered::Error(code))
                }
                _ => fault("an error without an integer as code, or whose text is none"),
            };
        }
        let (expected, result) = match self {
            Self::Init { .. } => ("init_ok", None),
            Self::Echo(_) => ("echo_ok", Some("echo")),
            Self::Generate => ("generate_ok", Some("id")),
        };
        if kind != Some(expected) {
            return fault(&format!("not of type {expected}"));
        }
        if fields.get("msg_id").is_some_and(|id| !is_integer(id)) {
            return fault("msg_id is no integer");
        }
        if !has_only(fields, &["type", "in_reply_to", "msg_id", result.unwrap_or("type")]) {
            return fault("a field that does not belong there");
        }
        let result = match result.map(|name| fields.get(name)) {
            Some(None) => return fault("the result is missing"),
            found => found.flatten(),
        };
        match self {
            Self::Echo(value) if Some(value) != result => fault("not what was to be echoed"),
            _ => Ok(Answered::Ok(result.cloned())),
        }
    }
}

/// Takes apart a line that `node` has written.
pub fn message(line: &[u8], node: &str) -> Result<Message, String> {
    let fault = |what: &str| format!("{what}: {}", String::from_utf8_lossy(line));
    let value: Value = serde_json::from_slice(line).map_err(|_| fault("not JSON"))?;
    let mut fields = match value {
        Value::Object(fields) if has_only(&fields, &["id", "src", "dest", "body"]) => fields,
        _ => return Err(fault("not an object of src, dest and body")),
    };
    let mut take = |name| fields.remove(name).ok_or_else(|| fault("src, dest or body is missing"));
    match (take("src")?, take("dest")?, take("body")?) {
        (Value::String(src), _, _) if src != node => Err(fault("in the name of somebody else")),
        (Value::String(src), Value::String(dest), body) => Ok(Message { src, dest, body }),
        _ => Err(fault("src or dest is no string")),
    }
}

fn has_only(fields: &Map<String, Value>, names: &[&str]) -> bool {
    fields.keys().all(|name| names.contains(&name.as_str()))
}

fn is_integer(value: &Value) -> bool {
    value.is_i64() || value.is_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reply_of_exactly_the_right_fields_is_ok() {
        let asked = Asked::Generate;
        let ok = |body| asked.check(&body);
        let good = json!({"type": "generate_ok", "in_reply_to": 1, "id": [7]});
        assert_eq!(ok(good), Ok(Answered::Ok(Some(json!([7])))));
        let good = json!({"type": "generate_ok", "in_reply_to": 1, "id": null, "msg_id": 5});
        assert_eq!(ok(good), Ok(Answered::Ok(Some(Value::Null))));
        assert_eq!(ok(json!({"type": "error", "code": 11})), Ok(Answered::Error(11)));
        for bad in [
            json!(null),
            json!({"type": "generate_ok"}),
            json!({"type": "generate", "id": 1}),
            json!({"type": "generate_ok", "id": 1, "node": "n1"}),
            json!({"type": "generate_ok", "id": 1, "msg_id": "5"}),
            json!({"type": "error", "code": "11"}),
            json!({"type": "error", "code": 11, "text": 1}),
        ] {
            assert!(ok(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_echo_must_be_the_same() {
        let asked = Asked::Echo(json!({"a": 1}));
        let reply = |echo| asked.check(&json!({"type": "echo_ok", "in_reply_to": 1, "echo": echo}));
        assert!(reply(json!({"a": 1})).is_ok());
        assert!(reply(json!({"a": 1.5})).is_err());
    }

    #[test]
    fn a_node_speaks_json_messages_in_its_own_name() {
        let good = br#"{"src":"n1","dest":"c1","body":{}}"#;
        assert_eq!(message(good, "n1").map(|message| message.dest), Ok("c1".to_owned()));
        for bad in [
            &b"hello"[..],
            b"",
            b"[]",
            br#"{"src":"n2","dest":"c1","body":{}}"#,
            br#"{"src":"n1","dest":1,"body":{}}"#,
            br#"{"src":"n1","dest":"c1"}"#,
            br#"{"src":"n1","dest":"c1","body":{},"to":"c1"}"#,
        ] {
            assert!(message(bad, "n1").is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }
}
