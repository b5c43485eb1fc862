//! In-backend tests: what only code inside a server can see.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

#[pgrx::pg_schema]
mod tests {
    use crate::host::Postgres;
    use crate::lock::Writer;
    use crate::{lease_file, node, server};
    use pgrx::prelude::*;
    use snowflake_core::{Extender, Record, read_lease};

    fn next() -> i64 {
        Spi::get_one("SELECT snowflake_nextval()").unwrap().unwrap()
    }

    fn record() -> Record {
        read_lease(&Postgres).unwrap().unwrap()
    }

    #[pg_test]
    fn ids_increase_within_a_statement() {
        let increasing = Spi::get_one::<bool>(
            "SELECT bool_and(id > before) FROM (
                SELECT id, lag(id) OVER (ORDER BY n) AS before
                FROM (SELECT n, snowflake_nextval() AS id FROM generate_series(1, 10000) n) s) t",
        );
        assert_eq!(increasing, Ok(Some(true)));
    }

    #[pg_test]
    fn the_record_on_disk_covers_every_id_that_was_returned() {
        let id = next();
        let state = server::configured().unwrap().state;
        // The keeper may be between writing a longer lease and putting it in force.
        let record = (0..1_000)
            .map(|_| {
                std::thread::sleep(std::time::Duration::from_millis(10));
                record()
            })
            .find(|record| record.end == state.lease_end())
            .unwrap();
        let parts = record.space.layout.decode(id);
        let generator = node::generator().unwrap();
        assert_eq!(record.node, generator.node());
        assert_eq!(record.space, generator.space());
        assert!(generator.millis(record.end) >= parts.timestamp);
    }

    #[pg_test]
    fn the_record_says_which_space_ids_are_decoded_by() {
        next();
        let record = record();
        assert_eq!(node::space().unwrap(), record.space);
    }

    #[pg_test]
    fn a_written_record_is_read_back_and_no_temporary_file_stays() {
        next();
        // Or the keeper would write, too.
        let _turn = Writer::new();
        let record = record();
        let file = lease_file::read().unwrap().unwrap();
        let offset = record.serial % 2 * (file.len() / 2) as u64;
        lease_file::write(offset, &record.to_bytes()).unwrap();
        assert!(lease_file::read().unwrap().unwrap() == file);
        assert_eq!(read_lease(&Postgres), Ok(Some(record)));
        assert!(!std::path::Path::new("pg_snowflake.lease.tmp").exists());
    }

    #[pg_test]
    fn a_longer_lease_on_disk_is_never_replaced_by_a_shorter_one() {
        next();
        let server = server::configured().unwrap();
        let (state, generator) = (server.state, server.generator);
        let now = state.next();
        let far = generator.tick_at(generator.unix_millis(now) + 10_000);
        // A batch that is about to be taken; the keeper decided to extend before it got the lock.
        server.extend(far, Extender::Caller).unwrap();
        server.extend(now, Extender::Keeper).unwrap();
        assert!(record().end > far);
        assert!(state.lease_end() > far);
    }

    #[pg_test]
    fn extensions_of_the_lease_are_counted() {
        next();
        let counts = server::configured().unwrap().state.counts();
        let (all, by_sessions) = (counts.renewals, counts.renewals_by_sessions);
        assert!(by_sessions >= 1 && all >= by_sessions, "{by_sessions} of {all}");
    }

    #[pg_test(error = "snowflake ID -1 is negative")]
    fn a_negative_id_is_refused() {
        Spi::run("SELECT snowflake_decode(-1)").unwrap();
    }

    #[pg_test(
        error = "parameter \"pg_snowflake.machine_id\" cannot be changed without restarting the server"
    )]
    fn no_session_changes_the_node() {
        Spi::run("SET pg_snowflake.machine_id = 2").unwrap();
    }
}
