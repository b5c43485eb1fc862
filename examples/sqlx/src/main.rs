//! sqlx: a key is an `i64`; many rows as an array, or as one long VALUES.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{
    PgPool, Postgres, QueryBuilder, postgres::PgConnectOptions, query, query_as, query_scalar,
};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    // PGHOST and so on say where.
    let db = PgPool::connect_with(PgConnectOptions::new()).await?;
    create(&db).await?;
    let ann = one(&db).await?;
    many(&db, ann).await?;
    reserved(&db, ann).await?;
    pages(&db).await?;
    window(&db).await
}

async fn create(db: &PgPool) -> Result<()> {
    query("CREATE EXTENSION pg_snowflake").execute(db).await?;
    query(
        "CREATE TABLE customers (
            id bigint PRIMARY KEY DEFAULT snowflake_nextval(),
            name text NOT NULL
        )",
    )
    .execute(db)
    .await?;
    query(
        "CREATE TABLE orders (
            id bigint PRIMARY KEY DEFAULT snowflake_nextval(),
            customer_id bigint NOT NULL REFERENCES customers,
            note text NOT NULL
        )",
    )
    .execute(db)
    .await?;
    Ok(())
}

async fn one(db: &PgPool) -> Result<i64> {
    let insert = "INSERT INTO customers (name) VALUES ($1) RETURNING id";
    let ann: i64 = query_scalar(insert).bind("Ann").fetch_one(db).await?;
    let bob: i64 = query_scalar(insert).bind("Bob").fetch_one(db).await?;
    assert!(1 << 53 < ann && ann < bob);
    Ok(ann)
}

async fn many(db: &PgPool, customer: i64) -> Result<()> {
    let notes: Vec<_> = (0..1000).map(|n| format!("order {n}")).collect();

    let before = statements(db).await?;
    let insert =
        "INSERT INTO orders (customer_id, note) SELECT $1, unnest($2::text[]) RETURNING id";
    let ids: Vec<i64> = query_scalar(insert).bind(customer).bind(&notes).fetch_all(db).await?;
    counted(db, "unnest", before, 1).await?;
    assert!(ids.len() == 1000 && ids.is_sorted_by(|a, b| a < b));

    let before = statements(db).await?;
    let mut insert = QueryBuilder::<Postgres>::new("INSERT INTO orders (customer_id, note) ");
    insert.push_values(&notes, |mut row, note| {
        row.push_bind(customer).push_bind(note);
    });
    let ids: Vec<i64> = insert.push(" RETURNING id").build_query_scalar().fetch_all(db).await?;
    counted(db, "push_values", before, 1).await?;
    assert!(ids.len() == 1000 && ids.is_sorted_by(|a, b| a < b));

    let orders: Vec<(i64, String, String)> = query_as(
        "SELECT o.id, c.name, o.note
         FROM orders AS o JOIN customers AS c ON c.id = o.customer_id WHERE o.id = ANY ($1) ORDER BY o.id",
    )
    .bind(&ids)
    .fetch_all(db)
    .await?;
    let expected = ids.into_iter().zip(notes).map(|(id, note)| (id, "Ann".to_owned(), note));
    assert!(orders.into_iter().eq(expected));
    Ok(())
}

/// Keys that are known before the rows are sent.
async fn reserved(db: &PgPool, customer: i64) -> Result<()> {
    let first: i64 =
        query_scalar("SELECT snowflake_reserve($1)").bind(10_i64).fetch_one(db).await?;
    let ids: Vec<_> = (first..first + 10).collect();
    let insert =
        "INSERT INTO orders (id, customer_id, note) SELECT unnest($1::bigint[]), $2, 'reserved'";
    query(insert).bind(&ids).bind(customer).execute(db).await?;
    Ok(())
}

async fn pages(db: &PgPool) -> Result<()> {
    let page = "SELECT id FROM orders WHERE id > $1 ORDER BY id LIMIT 300";
    let mut read = vec![0];
    loop {
        let ids: Vec<i64> = query_scalar(page).bind(read[read.len() - 1]).fetch_all(db).await?;
        if ids.is_empty() {
            break;
        }
        read.extend(ids);
    }
    assert!(read.len() == 1 + 2010 && read.is_sorted_by(|a, b| a < b));
    Ok(())
}

async fn window(db: &PgPool) -> Result<()> {
    let (now, hour) = (Utc::now(), TimeDelta::hours(1));
    assert_eq!(between(db, now - hour, now + hour).await?, 2010);
    assert_eq!(between(db, now - hour * 2, now - hour).await?, 0);
    Ok(())
}

async fn between(db: &PgPool, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<i64> {
    let count = "SELECT count(*) FROM orders WHERE snowflake_between(id, $1, $2)";
    Ok(query_scalar(count).bind(from).bind(to).fetch_one(db).await?)
}

async fn statements(db: &PgPool) -> Result<i64> {
    Ok(query_scalar("SELECT example.statements()").fetch_one(db).await?)
}

async fn counted(db: &PgPool, what: &str, before: i64, expected: i64) -> Result<()> {
    let taken = statements(db).await? - before;
    println!("statements for 1,000 rows by {what}: {taken}");
    assert_eq!(taken, expected);
    Ok(())
}
