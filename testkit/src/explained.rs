//! What PostgreSQL writes at WARNING and above although nothing is wrong: about sessions and
//! processes that are met by what a test does to their server. Every such text is here, with its
//! reason. Any other line at WARNING and above fails the test that finds it.

/// On any server, at any time.
pub(crate) const ALWAYS: [&str; 5] = [
    // A fast shutdown ends sessions, also one that is just about to end by itself ...
    "FATAL:  terminating connection due to administrator command",
    // ... and an autovacuum, which may be at work on any server that is a minute old.
    "FATAL:  terminating autovacuum process due to administrator command",
    // An autovacuum makes way for a session that waits for its table.
    "ERROR:  canceling autovacuum task",
    // A busy machine has let it wait for a minute; another one is started.
    "WARNING:  autovacuum worker took too long to start; canceled",
    // Or a write to the disk has waited for long.
    "WARNING:  writing the snowflake lease took",
];

/// About the clients of a server that goes down and comes back, whatever they are doing then.
pub(crate) const OUTAGE: [&str; 7] = [
    // They come too early or too late ...
    "FATAL:  the database system is starting up",
    "FATAL:  the database system is shutting down",
    "FATAL:  the database system is in recovery mode",
    "FATAL:  the database system is not yet accepting connections",
    // ... or log in just then: PostgreSQL takes the signal of a fast shutdown for that of the timeout ...
    "FATAL:  canceling authentication due to timeout",
    // ... or are at work.
    "FATAL:  terminating connection due to administrator command",
    "FATAL:  terminating connection due to unexpected postmaster exit",
];

/// About a server to receive WAL from that is going, gone, or coming back: by a standby, and by who
/// subscribes.
pub const PRIMARY_GONE: [&str; 10] = [
    // There is no connection, or not yet ...
    "could not connect to the primary server",
    "could not connect to the publisher",
    // ... it breaks before the stream begins, at whichever step ...
    "could not receive database system identifier and timeline ID from the primary server",
    "could not receive timeline history file from the primary server",
    "could not clear search path",
    "could not start WAL streaming",
    // ... or later.
    "could not receive data from WAL stream",
    "could not send data to WAL stream",
    "could not send end-of-streaming message to primary",
    // A promotion, or a fast shutdown, ends the search for a primary.
    "FATAL:  terminating walreceiver process due to administrator command",
];

/// About a connection between servers that a network cuts, beside [`PRIMARY_GONE`].
pub const CUT_OFF: [&str; 9] = [
    // pglogical's receiver, at the same steps.
    "could not connect to the postgresql server",
    "could not send replication command",
    "could not fetch remote node info",
    "could not send feedback packet",
    "connection to other side has died",
    "data stream ended",
    // The native one hears nothing any more.
    "terminating logical replication worker due to timeout",
    // The sender cannot write any more.
    "FATAL:  connection to client lost",
    // Who has not noticed yet holds on to the slot, or the origin, that its successor wants.
    "active for PID",
];

/// About clients that go before they have been answered, as those of a load balancer do.
pub const CLIENT_GONE: &str = "FATAL:  connection to client lost";

const LOUD: [&str; 4] = ["WARNING:  ", "ERROR:  ", "FATAL:  ", "PANIC:  "];

/// The lines of a server's log at WARNING and above that neither the `allowed` texts explain nor what is explained on
/// any server.
#[must_use]
pub fn unexpected(log: &str, allowed: &[&str]) -> Vec<String> {
    let loud = log.lines().filter(|line| LOUD.iter().any(|level| line.contains(level)));
    let loud = loud.filter(|line| !explains(&ALWAYS, line) && !explains(allowed, line));
    loud.map(str::to_owned).collect()
}

/// Whether the line is about one of these. What a server that is there refuses, of which another one
/// reports, is explained by no outage.
pub(crate) fn explains(texts: &[&str], line: &str) -> bool {
    let mut about = texts.iter().filter_map(|text| line.split_once(text));
    about.any(|(_, rest)| !rest.contains("ERROR:  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_primary_that_refuses_is_not_gone() {
        let line = |why| format!("[1]: FATAL:  could not receive data from WAL stream: {why}");
        let closed = line("server closed the connection unexpectedly");
        assert!(explains(&PRIMARY_GONE, &closed));
        assert!(explains(&PRIMARY_GONE, &line("FATAL:  terminating connection")));
        let removed = line("ERROR:  requested WAL segment 000000010000000000000001 has gone");
        assert!(!explains(&PRIMARY_GONE, &removed));
    }

    #[test]
    fn a_session_that_logs_in_is_met_by_an_outage_alone() {
        let line = "[1]: FATAL:  canceling authentication due to timeout";
        assert!(explains(&OUTAGE, line) && !explains(&ALWAYS, line));
    }
}
