//! Machine ids from names and files.
#![cfg(not(loom))]
#![allow(missing_docs, clippy::unwrap_used)]

use snowflake_core::Origin;

fn number(origin: &str, text: &str) -> Option<u64> {
    origin.parse::<Origin>().unwrap().number_in(text)
}

#[test]
fn the_number_is_at_the_end_of_a_name() {
    for (name, wanted) in [
        ("pg-0", Some(0)),
        ("orders-db-12", Some(12)),
        ("pg-3.pg-headless.shop.svc.cluster.local", Some(3)),
        ("db7", Some(7)),
        ("db007.example.com", Some(7)),
        ("17", Some(17)),
        ("pg-1.example-2.com", Some(1)),
        ("us-east-1-db4", Some(4)),
        ("pg-10-0-17", Some(17)),
        ("pg_3", Some(3)),
        ("pg-99999999999999999999999", Some(u64::MAX)),
    ] {
        assert_eq!(number("hostname", name), wanted, "{name}");
        assert_eq!(number("env:POD_NAME", name), wanted, "{name}");
    }
}

#[test]
fn other_names_have_none() {
    for name in
        ["", "pg", "pg-", "pg-2b", "db2.", ".", "-", "pg-1-a", "pg-.3", "10.0.0.7", "pg-٣", "pg-1 "]
    {
        let wanted = (name == "db2.").then_some(2);
        assert_eq!(number("hostname", name), wanted, "{name}");
    }
}

/// Made by a machine, of an address or by chance: other hosts have the same digits at the end.
#[test]
fn names_that_a_machine_has_made_have_none() {
    for name in [
        "10.0.0.7",
        "10-0-0-7",
        "fe80::3",
        "fd00:10:244::3",
        "ip-10-0-3-17.ec2.internal",
        "ip-10-9-4-17.eu-west-1.compute.internal",
        "dhcp-192-168-1-7.lan",
        "3f2a9b7c1d05",
        "abcdefabcd12",
        "i-0a1b2c3d4e5f60718",
        "pg-7d9f8b6c5-x2k4",
    ] {
        assert_eq!(number("hostname", name), None, "{name}");
        assert_eq!(number("env:HOST_NAME", name), None, "{name}");
    }
}

#[test]
fn a_file_holds_the_number_and_nothing_else() {
    for (text, wanted) in [
        ("5", Some(5)),
        ("5\n", Some(5)),
        (" 012 \r\n", Some(12)),
        ("", None),
        ("\n", None),
        ("pg-5", None),
        ("5\n6\n", None),
        ("-1", None),
        ("+1", None),
        ("0x5", None),
        ("5.0", None),
    ] {
        assert_eq!(number("file:/etc/machine", text), wanted, "{text:?}");
    }
}

#[test]
fn origins_are_read_and_written_the_same() {
    for text in ["hostname", "env:POD_NAME", "file:/etc/machine", "file:relative: odd"] {
        assert_eq!(text.parse::<Origin>().unwrap().to_string(), text);
    }
    for text in [
        "",
        "Hostname",
        "host",
        "hostname:",
        "env:",
        "env",
        "env:A=B",
        "file:",
        "file",
        "ip",
        " hostname",
    ] {
        assert!(text.parse::<Origin>().is_err(), "{text}");
    }
}

#[test]
fn the_first_of_every_group_has_the_number_0() {
    let origin = Origin::Hostname;
    assert!(origin.is_first_of_a_group("pg-0"));
    assert!(origin.is_first_of_a_group("orders-pg-0.orders"));
    for name in ["pg-1", "pg-10", "pg0", "-0", "0", "pg-00"] {
        assert!(!origin.is_first_of_a_group(name), "{name}");
    }
    assert!(!Origin::File("x".into()).is_first_of_a_group("pg-0"));
}
