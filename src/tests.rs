//! In-backend tests: what only code inside a server can see.

#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;

    #[pg_test]
    fn nextval_increases() {
        let ids = Spi::get_one::<bool>(
            "SELECT bool_and(id > before) FROM (
                SELECT id, lag(id) OVER (ORDER BY n) AS before
                FROM (SELECT n, snowflake_nextval() AS id FROM generate_series(1, 10000) n) s) t",
        );
        assert_eq!(ids, Ok(Some(true)));
    }
}
