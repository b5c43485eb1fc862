//! In-backend tests: what only code inside a server can see.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

#[pgrx::pg_schema]
mod tests {
    use crate::lease::{self, Extender};
    use crate::{clock, lease_file, node, shared};
    use pgrx::prelude::*;
    use std::sync::atomic::Ordering::Relaxed;

    fn next() -> i64 {
        Spi::get_one("SELECT snowflake_nextval()").unwrap().unwrap()
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
        let record = lease_file::read().unwrap().unwrap();
        let parts = record.space.layout.decode(id);
        let generator = node::generator().unwrap();
        assert_eq!(record.node, generator.node());
        assert_eq!(record.space, generator.space());
        assert!(generator.millis(record.end) >= parts.timestamp);
        assert_eq!(record.end, shared::get().unwrap().lease.end());
    }

    #[pg_test]
    fn the_record_says_which_space_ids_are_decoded_by() {
        next();
        let record = lease_file::read().unwrap().unwrap();
        assert_eq!(node::space().unwrap(), record.space);
    }

    #[pg_test]
    fn a_written_record_is_read_back_and_no_temporary_file_stays() {
        next();
        let record = lease_file::read().unwrap().unwrap();
        lease_file::write(&record).unwrap();
        assert_eq!(lease_file::read().unwrap(), Some(record));
        assert!(!std::path::Path::new("pg_snowflake.lease.tmp").exists());
    }

    #[pg_test]
    fn a_longer_lease_on_disk_is_never_replaced_by_a_shorter_one() {
        next();
        let (shared, generator) = (shared::get().unwrap(), node::generator().unwrap());
        let now = shared.ticker.peek();
        let far = generator.tick_at(generator.unix_millis(now) + 10_000);
        // A batch that is about to be taken; the keeper decided to extend before it got the lock.
        lease::extend(&generator, shared, far, Extender::Caller).unwrap();
        lease::extend(&generator, shared, now, Extender::Keeper).unwrap();
        assert!(lease_file::read().unwrap().unwrap().end > far);
        assert!(shared.lease.end() > far);
    }

    #[pg_test]
    fn extensions_of_the_lease_are_counted() {
        next();
        let counters = &shared::get().unwrap().counters;
        let (all, by_sessions) =
            (counters.renewals.load(Relaxed), counters.renewals_by_sessions.load(Relaxed));
        assert!(by_sessions >= 1 && all >= by_sessions, "{by_sessions} of {all}");
    }

    #[pg_test]
    fn a_reading_of_the_clocks_that_was_held_up_does_not_count() {
        let offset = |readings: &[[i64; 3]]| {
            let mut readings = readings.iter().copied().cycle();
            clock::closest_offset(|| readings.next().unwrap())
        };
        assert_eq!(offset(&[[0, 70, 1]]), 70);
        assert_eq!(offset(&[[0, 5_070, 5_000], [6_000, 6_070, 6_001]]), 70);
        assert_eq!(offset(&[[0, 8_070, 9_000], [10_000, 10_370, 10_300], [0, 70, 9_000]]), 370);
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
