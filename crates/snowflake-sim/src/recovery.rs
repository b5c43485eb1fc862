//! The beginning and the end of a server life: replay, as PostgreSQL and the extension's `replay.rs` have it,
//! and the shutdown, as in `life.rs`.

use crate::faults::Point;
use crate::process::{Done, Process};
use crate::server::Omission;
use crate::wal::Entry;
use snowflake_core::{Record, Server};

type Simulated<'a> = Server<'a, Process<'a>>;

/// The startup process: replays what there is, and ends recovery unless this is a standby.
pub fn replay(server: &Server<'_, Process<'_>>) -> Done {
    let Process { life, machine, family, .. } = server.host;
    loop {
        server.host.reach(Point::Replay);
        let position = life.replayed.get();
        if position == machine.received.get() {
            break;
        }
        let entry = family.wal.borrow().entry(position);
        life.replayed.set(position + 1);
        match entry {
            Entry::Lease(bytes) => {
                let lease = Record::from_bytes(&bytes).unwrap();
                server.state.note_replayed(server.host, &lease);
            }
            Entry::Checkpoint(control) => {
                keep(server, Omission::KeepAtCheckpoint);
                if machine.is_standby.get() {
                    server.host.reach(Point::Checkpoint);
                    machine.control.set(control);
                }
            }
        }
    }
    if !machine.is_standby.get() && life.is_in_recovery.get() {
        keep(server, Omission::KeepAtEnd);
        checkpoint(server);
        life.is_in_recovery.set(false);
    }
    Done::Replayed
}

fn keep(server: &Simulated<'_>, omission: Omission) {
    if server.host.family.omits(Omission::WaitToKeep) {
        let _ = server.state.keep_replayed(server.host);
    } else if !server.host.family.omits(omission) {
        // What does not go away keeps this server from issuing, too.
        let _ = server.state.keep_before_restart_point(server.host);
    }
}

/// As the checkpointer makes it.
pub fn checkpoint(server: &Server<'_, Process<'_>>) {
    let Process { machine, family, .. } = server.host;
    let redo = family.wal.borrow().len();
    server.host.reach(Point::Checkpoint);
    machine.checkpoint(redo);
}

/// The postmaster's last process: a checkpoint, then the exact end of the lease.
pub fn stop(server: &Server<'_, Process<'_>>) -> Done {
    if !server.host.machine.is_standby.get() {
        checkpoint(server);
    }
    Done::Stopped(server.shut_down())
}
