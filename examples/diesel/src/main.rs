//! Diesel: the default fills the key, and the functions are declared for its query builder.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{
    connection::SimpleConnection,
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Timestamptz},
};

diesel::table! {
    customers (id) {
        id -> BigInt,
        name -> Text,
    }
}

diesel::table! {
    orders (id) {
        id -> BigInt,
        customer_id -> BigInt,
        note -> Text,
    }
}

diesel::joinable!(orders -> customers (customer_id));
diesel::allow_tables_to_appear_in_same_query!(customers, orders);

#[diesel::declare_sql_function]
extern "SQL" {
    fn snowflake_reserve(count: BigInt) -> BigInt;
    fn snowflake_between(id: BigInt, from_time: Timestamptz, to_time: Timestamptz) -> Bool;
}

#[derive(Insertable)]
#[diesel(table_name = orders)]
struct NewOrder {
    customer_id: i64,
    note: String,
}

#[derive(Queryable, Selectable, Identifiable, Associations, PartialEq, Debug)]
#[diesel(belongs_to(Customer))]
struct Order {
    id: i64,
    customer_id: i64,
    note: String,
}

#[derive(Queryable, Selectable, Identifiable)]
struct Customer {
    id: i64,
    name: String,
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    // PGHOST and so on say where.
    let db = &mut PgConnection::establish("postgres://")?;
    db.batch_execute(
        "CREATE EXTENSION pg_snowflake;
         CREATE TABLE customers (
             id bigint PRIMARY KEY DEFAULT snowflake_nextval(),
             name text NOT NULL
         );
         CREATE TABLE orders (
             id bigint PRIMARY KEY DEFAULT snowflake_nextval(),
             customer_id bigint NOT NULL REFERENCES customers,
             note text NOT NULL
         );",
    )?;
    let ann = one(db)?;
    many(db, &ann)?;
    pages(db)?;
    window(db)
}

fn one(db: &mut PgConnection) -> Result<Customer> {
    let mut insert = |name| {
        let row = diesel::insert_into(customers::table).values(customers::name.eq(name));
        row.returning(Customer::as_returning()).get_result(db)
    };
    let (ann, bob) = (insert("Ann")?, insert("Bob")?);
    assert!(1 << 53 < ann.id && ann.id < bob.id && bob.name == "Bob");
    Ok(ann)
}

fn many(db: &mut PgConnection, ann: &Customer) -> Result<()> {
    let notes = (0..1000).map(|n| format!("order {n}"));
    let rows: Vec<_> = notes.map(|note| NewOrder { customer_id: ann.id, note }).collect();
    let before = statements(db)?;
    let inserted: Vec<Order> = diesel::insert_into(orders::table)
        .values(&rows)
        .returning(Order::as_returning())
        .get_results(db)?;
    let taken = statements(db)? - before;
    println!("statements for 1,000 rows by insert_into().values(): {taken}");
    assert_eq!(taken, 1);
    assert!(inserted.len() == 1000 && inserted.is_sorted_by(|a, b| a.id < b.id));
    assert_eq!(Order::belonging_to(ann).order(orders::id).load::<Order>(db)?, inserted);

    // Keys that are known before the rows are sent.
    let first: i64 = diesel::select(snowflake_reserve(10)).get_result(db)?;
    let key =
        |n| (orders::id.eq(first + n), orders::customer_id.eq(ann.id), orders::note.eq("reserved"));
    let rows: Vec<_> = (0..10).map(key).collect();
    diesel::insert_into(orders::table).values(rows).execute(db)?;
    let joined = orders::table.inner_join(customers::table).filter(customers::name.eq("Ann"));
    assert_eq!(joined.count().get_result::<i64>(db)?, 1010);
    Ok(())
}

fn pages(db: &mut PgConnection) -> Result<()> {
    let mut read = vec![0];
    loop {
        let page = orders::table.select(orders::id).filter(orders::id.gt(read[read.len() - 1]));
        let ids: Vec<i64> = page.order(orders::id).limit(300).load(db)?;
        if ids.is_empty() {
            break;
        }
        read.extend(ids);
    }
    assert!(read.len() == 1 + 1010 && read.is_sorted_by(|a, b| a < b));
    Ok(())
}

fn window(db: &mut PgConnection) -> Result<()> {
    let (now, hour) = (Utc::now(), TimeDelta::hours(1));
    let mut count = |from: DateTime<Utc>, to: DateTime<Utc>| {
        let orders = orders::table.filter(snowflake_between(orders::id, from, to));
        orders.count().get_result::<i64>(db)
    };
    assert_eq!(count(now - hour, now + hour)?, 1010);
    assert_eq!(count(now - hour * 2, now - hour)?, 0);
    Ok(())
}

fn statements(db: &mut PgConnection) -> Result<i64> {
    Ok(diesel::select(sql::<BigInt>("example.statements()")).get_result(db)?)
}
