use super::*;

fn message(body: &str) -> Vec<u8> {
    format!(r#"{{"id":7,"src":"c1","dest":"n1","body":{body}}}"#).into_bytes()
}

/// The reply that says why this is no request.
fn refusal(line: &[u8]) -> serde_json::Value {
    match parse(line) {
        Incoming::Refused(address, fault) => {
            let line = address.reply(Some("n1"), &Reply::Error(fault));
            serde_json::from_str(&line).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

fn request(line: &[u8]) -> (ReturnAddress, Request) {
    match parse(line) {
        Incoming::Request(address, request) => (address, request),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_message_is_malformed_and_has_nobody_to_answer() {
    for line in
        [&b""[..], b" ", b"{", b"[]", b"null", b"1", b"\xff", b"{}", b"{\"src\":\"c1\"", b"}{"]
    {
        let reply = refusal(line);
        assert_eq!(reply["body"]["code"], 12, "{reply}");
        assert_eq!((&reply["src"], &reply["dest"]), (&"n1".into(), &"".into()), "{reply}");
        assert_eq!(reply["body"].get("in_reply_to"), None, "{reply}");
    }
    let array = br#"["c1", "n1", {"type": "generate", "msg_id": 1}]"#;
    assert_eq!(refusal(array)["body"]["code"], 12);
}

#[test]
fn what_is_wrong_within_a_message_is_answered_to_its_sender() {
    let cases = [
        ("null", 12),
        ("[]", 12),
        (r#""generate""#, 12),
        ("{}", 12),
        (r#"{"msg_id":1}"#, 12),
        (r#"{"type":5,"msg_id":1}"#, 12),
        (r#"{"type":null,"msg_id":1}"#, 12),
        (r#"{"type":"generate","type":"generate","msg_id":1}"#, 12),
        (r#"{"type":"generate"}"#, 12),
        (r#"{"type":"generate","msg_id":"1"}"#, 12),
        (r#"{"type":"generate","msg_id":1.0}"#, 12),
        (r#"{"type":"generate","msg_id":1e3}"#, 12),
        (r#"{"type":"generate","msg_id":null}"#, 12),
        (r#"{"type":"generate","msg_id":[1]}"#, 12),
        (r#"{"type":"echo","msg_id":1}"#, 12),
        (r#"{"type":"init","msg_id":1}"#, 12),
        (r#"{"type":"init","msg_id":1,"node_id":"n1"}"#, 12),
        (r#"{"type":"init","msg_id":1,"node_id":1,"node_ids":["n1"]}"#, 12),
        (r#"{"type":"init","msg_id":1,"node_id":"n1","node_ids":"n1"}"#, 12),
        (r#"{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1",2]}"#, 12),
        (r#"{"type":"read","msg_id":1}"#, 10),
        (r#"{"type":"read"}"#, 10),
        (r#"{"type":"","msg_id":1}"#, 10),
        (r#"{"type":"Generate","msg_id":1}"#, 10),
        (r#"{"type":"generate_ok","msg_id":1}"#, 10),
    ];
    for (body, code) in cases {
        let reply = refusal(&message(body));
        assert_eq!(reply["body"]["code"], code, "{body}: {reply}");
        assert_eq!(reply["body"]["type"], "error", "{body}: {reply}");
        assert_eq!((&reply["src"], &reply["dest"]), (&"n1".into(), &"c1".into()), "{body}");
        let asked: serde_json::Value = serde_json::from_str(body).unwrap();
        let integer = asked.get("msg_id").filter(|id| id.is_i64());
        let told = body.matches("type").count() < 2;
        assert_eq!(reply["body"].get("in_reply_to"), integer.filter(|_| told), "{body}: {reply}");
    }
}

#[test]
fn an_envelope_without_its_names_is_malformed() {
    for envelope in [
        r#"{"dest":"n1","body":{"type":"generate","msg_id":5}}"#,
        r#"{"src":1,"dest":"n1","body":{"type":"generate","msg_id":5}}"#,
        r#"{"src":"c1","body":{"type":"generate","msg_id":5}}"#,
        r#"{"src":"c1","dest":null,"body":{"type":"generate","msg_id":5}}"#,
    ] {
        let reply = refusal(envelope.as_bytes());
        assert_eq!(
            (&reply["body"]["code"], &reply["body"]["in_reply_to"]),
            (&12.into(), &5.into())
        );
    }
}

#[test]
fn replies_are_never_answered() {
    for body in [
        r#"{"type":"error","code":12,"text":"no"}"#,
        r#"{"type":"error","code":12,"in_reply_to":3}"#,
        r#"{"type":"generate","msg_id":1,"in_reply_to":3}"#,
        r#"{"type":"init_ok","in_reply_to":1}"#,
    ] {
        assert!(matches!(parse(&message(body)), Incoming::Reply), "{body}");
    }
}

#[test]
fn any_integer_is_a_message_id_and_comes_back_as_it_was() {
    for id in
        ["0", "-1", "9007199254740993", "-9223372036854775809", "123456789012345678901234567890"]
    {
        let (address, _) = request(&message(&format!(r#"{{"type":"generate","msg_id":{id}}}"#)));
        let reply = address.reply(Some("n1"), &Reply::GenerateOk(i64::MAX));
        let expected = format!(
            r#"{{"src":"n1","dest":"c1","body":{{"type":"generate_ok","in_reply_to":{id},"id":"9223372036854775807"}}}}"#
        );
        assert_eq!(reply, expected + "\n");
    }
}

#[test]
fn any_value_is_echoed_as_it_was_on_one_line() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for value in [
        "null",
        "false",
        "-0.0",
        "1e400",
        "0.1000",
        r#""\ud800""#,
        r#""\u0000\n☃""#,
        r#"{"a":1,"a":2}"#,
        "[ 1,\t{} ]",
        "12345678901234567890123",
        &deep,
    ] {
        let (address, asked) =
            request(&message(&format!(r#"{{"echo":{value},"type":"echo","msg_id":1}}"#)));
        let Request::Echo(echo) = asked else { panic!("{asked:?}") };
        let reply = address.reply(Some("n1"), &Reply::EchoOk(echo));
        let expected = format!(
            r#"{{"src":"n1","dest":"c1","body":{{"type":"echo_ok","in_reply_to":1,"echo":{value}}}}}"#
        );
        assert_eq!(reply, expected + "\n");
    }
    let (_, asked) = request(&message("{\"type\":\"echo\",\"msg_id\":1,\"echo\":[1,\r2]}"));
    assert!(matches!(asked, Request::Echo(value) if value.get() == "[1, 2]"));
}

#[test]
fn before_it_has_a_name_a_node_answers_as_whom_it_was_asked() {
    let (address, _) = request(&message(r#"{"type":"generate","msg_id":1}"#));
    let fault = Fault::new(Code::TemporarilyUnavailable, "not yet");
    assert_eq!(
        address.reply(None, &Reply::Error(fault)),
        r#"{"src":"n1","dest":"c1","body":{"type":"error","in_reply_to":1,"code":11,"text":"not yet"}}"#
            .to_owned()
            + "\n"
    );
}
