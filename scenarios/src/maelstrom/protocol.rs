//! Messages: a line taken apart into a request or the reason why it is none, and replies written.
//!
//! What is sent back as it came (`msg_id`, `echo`) is never interpreted: numbers of any size and
//! precision survive.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::value::RawValue;

/// What a line was.
#[derive(Debug)]
pub enum Incoming {
    /// A request that is complete and of the right types.
    Request(ReturnAddress, Request),
    /// To be answered with an error.
    Refused(ReturnAddress, Fault),
    /// The reply to some request. Never answered, or two nodes could answer each other for ever.
    Reply,
}

/// What a client asks for.
#[derive(Debug)]
pub enum Request {
    /// Who is who; the first message a node gets.
    Init {
        /// The name of the node that gets this.
        node_id: String,
        /// All nodes, in an order that is the same for all.
        node_ids: Vec<String>,
    },
    /// The same value back.
    Echo(Box<RawValue>),
    /// An ID that no node has returned yet.
    Generate,
}

/// What a reply needs of its request.
#[derive(Debug, Default)]
pub struct ReturnAddress {
    /// Who asked; empty when the line does not say.
    pub src: String,
    /// Who was asked; empty when the line does not say.
    pub dest: String,
    msg_id: Option<Integer>,
}

/// Why there is no better answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its kind.
    pub code: Code,
    /// For the person who reads it.
    pub text: String,
}

/// Those of Maelstrom's codes that a node uses. All are definite, the request has no effect, except
/// [`Code::Timeout`] and [`Code::Crash`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Code {
    /// There was no answer in time.
    Timeout = 0,
    /// There is no such operation.
    NotSupported = 10,
    /// It cannot be done now, for instance because the node is not initialized yet.
    TemporarilyUnavailable = 11,
    /// The request is not what the protocol says.
    MalformedRequest = 12,
    /// It may have been done or not.
    Crash = 13,
    /// It was not done, for any other reason.
    Abort = 14,
}

impl Fault {
    /// A fault of this kind.
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    fn malformed(text: impl Into<String>) -> Self {
        Self::new(Code::MalformedRequest, text)
    }
}

/// Any JSON integer, as it was written: the protocol sets no bounds.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
struct Integer(Box<RawValue>);

impl Integer {
    fn new(raw: &RawValue) -> Option<Self> {
        let digits = raw.get().strip_prefix('-').unwrap_or(raw.get());
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| Self(raw.to_owned()))
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    src: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    dest: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    body: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default, rename = "type", deserialize_with = "present")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    msg_id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    in_reply_to: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    node_id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    node_ids: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    echo: Option<&'a RawValue>,
}

/// Tells `null` from a field that is not there.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(value).map(Some)
}

/// Takes one line apart.
#[must_use]
pub fn parse(line: &[u8]) -> Incoming {
    let mut address = ReturnAddress::default();
    match request(line, &mut address) {
        Ok(Some(request)) => Incoming::Request(address, request),
        Ok(None) => Incoming::Reply,
        Err(fault) => Incoming::Refused(address, fault),
    }
}

/// Fills in the address as far as it gets; `None` for a reply.
fn request(line: &[u8], address: &mut ReturnAddress) -> Result<Option<Request>, Fault> {
    let line = str::from_utf8(line).map_err(|_| Fault::malformed("the line is not UTF-8"))?;
    let envelope: Envelope = object(line, "the line")?;
    let src = text(envelope.src, "src");
    let dest = text(envelope.dest, "dest");
    address.src = src.as_ref().cloned().unwrap_or_default();
    address.dest = dest.as_ref().cloned().unwrap_or_default();
    let body: Body = object(required(envelope.body, "body")?.get(), "body")?;
    let msg_id = body.msg_id.map(|raw| Integer::new(raw).ok_or(raw));
    address.msg_id = msg_id.clone().and_then(Result::ok);
    src?;
    dest?;
    let kind = text(body.kind, "type")?;
    if body.in_reply_to.is_some() || kind == "error" {
        return Ok(None);
    }
    if let Some(Err(raw)) = msg_id {
        return Err(Fault::malformed(format!("msg_id is no integer: {}", shortened(raw.get()))));
    }
    let request = of_kind(&kind, &body)?;
    required(body.msg_id, "msg_id")?;
    Ok(Some(request))
}

fn of_kind(kind: &str, body: &Body) -> Result<Request, Fault> {
    match kind {
        "init" => Ok(Request::Init {
            node_id: text(body.node_id, "node_id")?,
            node_ids: value(body.node_ids, "node_ids", "an array of strings")?,
        }),
        "echo" => Ok(Request::Echo(one_line(required(body.echo, "echo")?))),
        "generate" => Ok(Request::Generate),
        _ => {
            let text = format!("there are init, echo and generate, not {}", shortened(kind));
            Err(Fault::new(Code::NotSupported, text))
        }
    }
}

fn object<'a, T: Deserialize<'a>>(json: &'a str, what: &str) -> Result<T, Fault> {
    let refuse = |error| Fault::malformed(format!("{what} is no JSON object: {error}"));
    // An array of the values, without names, would do for serde.
    if json.trim_start().starts_with('[') {
        return Err(refuse(serde_json::Error::custom("it is an array")));
    }
    serde_json::from_str(json).map_err(refuse)
}

fn required<'a>(field: Option<&'a RawValue>, name: &str) -> Result<&'a RawValue, Fault> {
    field.ok_or_else(|| Fault::malformed(format!("{name} is missing")))
}

fn text(field: Option<&RawValue>, name: &str) -> Result<String, Fault> {
    value(field, name, "a string")
}

fn value<'a, T: Deserialize<'a>>(
    field: Option<&'a RawValue>,
    name: &str,
    what: &str,
) -> Result<T, Fault> {
    let json = required(field, name)?.get();
    serde_json::from_str(json)
        .map_err(|_| Fault::malformed(format!("{name} is not {what}: {}", shortened(json))))
}

/// Some readers end a line at a carriage return too. Outside of strings it is but white space, and
/// inside it is always escaped.
fn one_line(json: &RawValue) -> Box<RawValue> {
    let spaced = json.get().replace('\r', " ");
    RawValue::from_string(spaced).unwrap_or_else(|_| json.to_owned())
}

/// A message is to name what it refuses, not to repeat a megabyte of it.
pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// What a node answers.
#[derive(Debug)]
pub enum Reply {
    /// To `init`.
    InitOk,
    /// To `echo`.
    EchoOk(Box<RawValue>),
    /// To `generate`. The ID is written as a string: the workload takes any JSON value, the
    /// workbench itself reads 64-bit integers exactly, but not every reader of JSON holds integers
    /// beyond 2^53 (RFC 8259, section 6), and two IDs that were rounded to one are a duplicate.
    GenerateOk(i64),
    /// To anything.
    Error(Fault),
}

/// The workbench refuses replies with fields that the workload does not name.
#[derive(Serialize)]
struct Outgoing<'a> {
    src: &'a str,
    dest: &'a str,
    body: ReplyBody<'a>,
}

#[derive(Serialize, Default)]
struct ReplyBody<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_reply_to: Option<&'a Integer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    echo: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

impl ReturnAddress {
    /// The line, with its end, that answers the request as node `own`, or, before the node knows its
    /// name, as whom the request was sent to.
    #[must_use]
    pub fn reply(&self, own: Option<&str>, reply: &Reply) -> String {
        let mut body = ReplyBody { in_reply_to: self.msg_id.as_ref(), ..ReplyBody::default() };
        match reply {
            Reply::InitOk => body.kind = "init_ok",
            Reply::EchoOk(value) => {
                body.kind = "echo_ok";
                body.echo = Some(value);
            }
            Reply::GenerateOk(id) => {
                body.kind = "generate_ok";
                body.id = Some(id.to_string());
            }
            Reply::Error(Fault { code, text }) => {
                body.kind = "error";
                body.code = Some(*code as u16);
                body.text = Some(text);
            }
        }
        let message = Outgoing { src: own.unwrap_or(&self.dest), dest: &self.src, body };
        // Only a map with keys that are no strings, or an I/O error, could fail.
        let mut line = serde_json::to_string(&message).unwrap_or_default();
        line.push('\n');
        line
    }
}

#[cfg(test)]
mod tests;
