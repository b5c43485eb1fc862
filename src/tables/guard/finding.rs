//! What there is to say of a row.

use super::super::spi::readable;
use crate::error::{Code, Refusal, Report};
use crate::node;
use snowflake_core::Node;
use std::ffi::CString;

/// Why a row is conspicuous.
pub enum Finding {
    /// It has an ID of this server that this server has not issued.
    NotIssued { relation: CString, id: i64, issued: Issued },
    /// This server cannot tell.
    Blind(Refusal),
}

/// What this server has issued.
#[derive(Clone, Copy)]
pub enum Issued {
    /// No ID yet.
    Nothing,
    /// No ID but those below this one.
    Below(i64),
}

impl super::super::trigger::Finding for Finding {
    fn report(&self) -> Report {
        match self {
            Self::NotIssued { relation, id, issued } => {
                not_issued(&readable(relation), *id, *issued)
            }
            Self::Blind(refusal) => refusal.report(),
        }
    }
}

fn not_issued(relation: &str, id: i64, issued: Issued) -> Report {
    let Node { datacenter, machine } = node::generator().map_or(Node::default(), |it| it.node());
    let (issued, hint) = match issued {
        Issued::Nothing => (
            "which has not issued an ID yet".to_owned(),
            "If the data is restored, SELECT snowflake_nextval() once before it is loaded; otherwise find the \
             server with the same \"pg_snowflake.datacenter_id\" and \"pg_snowflake.machine_id\", and give it \
             another machine_id.",
        ),
        Issued::Below(next) => (
            format!("whose next ID is {next} or greater"),
            "Find the server with the same \"pg_snowflake.datacenter_id\" and \"pg_snowflake.machine_id\", and \
             give it another machine_id.",
        ),
    };
    Report::new(
        Code::ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION,
        format!(
            "new row for relation \"{relation}\" has a snowflake ID that this server has not issued"
        ),
        format!(
            "ID {id} has the identity of this server (datacenter {datacenter}, machine {machine}), {issued}."
        ),
        hint,
    )
}
