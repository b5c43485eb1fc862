//! Messages as a node reads and writes them: JSON objects, one a line.
//!
//! What is sent back as it came (`msg_id`, `echo`) is never interpreted: numbers of any size and
//! precision survive.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[derive(Debug)]
pub enum Request {
    Init { node_id: String, node_ids: Vec<String> },
    Echo(Box<RawValue>),
    Generate,
}

/// The ID is written as a string: not every reader of JSON holds integers beyond 2^53 (RFC 8259,
/// section 6), and two IDs that were rounded to one are a duplicate.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    InitOk,
    EchoOk { echo: Box<RawValue> },
    GenerateOk { id: String },
    Error(Fault),
}

/// Why there is no better answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    code: u16,
    text: String,
}

/// Those of Maelstrom's codes that a node uses. All are definite, the request has no effect, except
/// [`Code::Crash`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// There is no such operation.
    NotSupported = 10,
    /// It cannot be done now, for instance because the server is recovering.
    TemporarilyUnavailable = 11,
    /// The request is not what the protocol says.
    MalformedRequest = 12,
    /// It may have been done or not.
    Crash = 13,
    /// It was not done, for any other reason.
    Abort = 14,
}

impl Fault {
    /// A fault of this kind. The text names what is refused, and does not repeat a megabyte of it.
    pub fn new(code: Code, text: impl AsRef<str>) -> Self {
        const LONGEST: usize = 400;
        Self { code: code as u16, text: text.as_ref().chars().take(LONGEST).collect() }
    }

    fn malformed(text: impl AsRef<str>) -> Self {
        Self::new(Code::MalformedRequest, text)
    }
}

/// What a reply needs of its request; empty where the line does not say.
#[derive(Debug, Default)]
pub struct Address {
    src: String,
    /// Who was asked.
    pub dest: String,
    msg_id: Option<Box<RawValue>>,
}

impl Address {
    /// The line, with its end, by which node `own` answers.
    pub fn reply(&self, own: &str, reply: &Reply) -> String {
        #[derive(Serialize)]
        struct Message<'a> {
            src: &'a str,
            dest: &'a str,
            body: Body<'a>,
        }
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            in_reply_to: Option<&'a RawValue>,
            #[serde(flatten)]
            reply: &'a Reply,
        }
        let body = Body { in_reply_to: self.msg_id.as_deref(), reply };
        let message = Message { src: own, dest: &self.src, body };
        // Only a map with keys that are no strings could fail.
        serde_json::to_string(&message).unwrap_or_default() + "\n"
    }
}

/// Takes a line apart: who asks, and for what. A reply is no request, and is never answered, or two
/// nodes could answer each other for ever.
pub fn parse(line: &[u8]) -> (Address, Result<Option<Request>, Fault>) {
    let mut address = Address::default();
    let request = request(line, &mut address);
    (address, request)
}

type Fields<'a> = HashMap<String, &'a RawValue>;

/// Fills in the address as far as it gets.
fn request(line: &[u8], address: &mut Address) -> Result<Option<Request>, Fault> {
    let message: Fields = serde_json::from_slice(line)
        .map_err(|error| Fault::malformed(format!("the line is no JSON object: {error}")))?;
    address.src = field(&message, "src")?;
    address.dest = field(&message, "dest")?;
    let body: Fields = field(&message, "body")?;
    address.msg_id = body.get("msg_id").filter(|raw| is_integer(raw)).map(|&raw| raw.to_owned());
    let kind: String = field(&body, "type")?;
    if body.contains_key("in_reply_to") || kind == "error" {
        return Ok(None);
    }
    let request = match kind.as_str() {
        "init" => {
            Request::Init { node_id: field(&body, "node_id")?, node_ids: field(&body, "node_ids")? }
        }
        "echo" => Request::Echo(field::<&RawValue>(&body, "echo")?.to_owned()),
        "generate" => Request::Generate,
        _ => {
            let text = format!("there are init, echo and generate, not {kind}");
            return Err(Fault::new(Code::NotSupported, text));
        }
    };
    match address.msg_id {
        Some(_) => Ok(Some(request)),
        None => Err(Fault::malformed("msg_id is missing, or no integer")),
    }
}

fn field<'a, T: Deserialize<'a>>(fields: &Fields<'a>, name: &str) -> Result<T, Fault> {
    let raw = fields.get(name).ok_or_else(|| Fault::malformed(format!("{name} is missing")))?;
    serde_json::from_str(raw.get()).map_err(|error| Fault::malformed(format!("{name}: {error}")))
}

/// The protocol sets no bounds.
fn is_integer(raw: &RawValue) -> bool {
    let digits = raw.get().strip_prefix('-').unwrap_or(raw.get());
    digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn message(body: &str) -> Vec<u8> {
        format!(r#"{{"id":7,"src":"c1","dest":"n1","body":{body}}}"#).into_bytes()
    }

    /// The reply that says why this is no request.
    fn refusal(line: &[u8]) -> Value {
        let (address, parsed) = parse(line);
        let reply = Reply::Error(parsed.expect_err("no request"));
        serde_json::from_str(&address.reply("n1", &reply)).unwrap()
    }

    #[test]
    fn what_is_no_message_is_malformed_and_has_nobody_to_answer() {
        let array = r#"["c1", "n1", {"type": "generate", "msg_id": 1}]"#;
        let without_src = r#"{"dest":"n1","body":{"type":"generate","msg_id":5}}"#;
        for line in ["", " ", "{", "[]", "null", "1", "{}", "{\"src\":1}", "}{", array, without_src]
        {
            let reply = refusal(line.as_bytes());
            let text = reply["body"]["text"].clone();
            let body = json!({"type": "error", "code": 12, "text": text});
            assert_eq!(reply, json!({"src": "n1", "dest": "", "body": body}), "{line}");
        }
        assert_eq!(refusal(b"\xff")["body"]["code"], 12);
    }

    #[test]
    fn what_is_wrong_within_a_message_is_answered_to_its_sender() {
        for (body, code) in [
            ("null", 12),
            ("{}", 12),
            (r#"{"msg_id":1}"#, 12),
            (r#"{"type":null,"msg_id":1}"#, 12),
            (r#"{"type":"generate"}"#, 12),
            (r#"{"type":"generate","msg_id":"1"}"#, 12),
            (r#"{"type":"generate","msg_id":1.0}"#, 12),
            (r#"{"type":"generate","msg_id":null}"#, 12),
            (r#"{"type":"echo","msg_id":1}"#, 12),
            (r#"{"type":"init","msg_id":1,"node_id":"n1"}"#, 12),
            (r#"{"type":"init","msg_id":1,"node_id":1,"node_ids":["n1"]}"#, 12),
            (r#"{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1",2]}"#, 12),
            (r#"{"type":"read","msg_id":1}"#, 10),
            (r#"{"type":"Generate","msg_id":1}"#, 10),
        ] {
            let reply = refusal(&message(body));
            assert_eq!((&reply["body"]["code"], &reply["dest"]), (&json!(code), &json!("c1")));
            let asked: Value = serde_json::from_str(body).unwrap();
            let integer = asked.get("msg_id").filter(|id| id.is_i64());
            assert_eq!(reply["body"].get("in_reply_to"), integer, "{body}: {reply}");
        }
        let long = format!(r#"{{"type":"{}","msg_id":1}}"#, "x".repeat(1 << 20));
        assert!(refusal(&message(&long)).to_string().len() < 600);
    }

    #[test]
    fn replies_are_never_answered() {
        for body in [
            r#"{"type":"error","code":12,"text":"no"}"#,
            r#"{"type":"generate","msg_id":1,"in_reply_to":3}"#,
            r#"{"type":"init_ok","in_reply_to":1}"#,
        ] {
            assert!(matches!(parse(&message(body)).1, Ok(None)), "{body}");
        }
    }

    #[test]
    fn message_ids_and_what_is_echoed_come_back_as_they_were() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        for id in ["0", "-1", "9007199254740993", "123456789012345678901234567890"] {
            for value in ["null", "-0.0", "1e400", r#""\ud800\u0000☃""#, r#"{"a":1, "a":2}"#, &deep]
            {
                let line = message(&format!(r#"{{"echo":{value},"type":"echo","msg_id":{id}}}"#));
                let (address, parsed) = parse(&line);
                let Ok(Some(Request::Echo(echo))) = parsed else { panic!("{parsed:?}") };
                let body = format!(r#"{{"in_reply_to":{id},"type":"echo_ok","echo":{value}}}"#);
                let expected = format!(r#"{{"src":"n1","dest":"c1","body":{body}}}"#) + "\n";
                assert_eq!(address.reply("n1", &Reply::EchoOk { echo }), expected);
            }
        }
    }
}
