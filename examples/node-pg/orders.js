// node pg: keys are strings here, and stay exact as long as nothing makes a Number of them.
import assert from "node:assert/strict";
import pg from "pg";

// PGHOST and so on say where. A pool's connections are lent anew for each query.
const db = new pg.Pool();
const rows = async (sql, ...parameters) => (await db.query(sql, parameters)).rows;
const statements = async () => Number((await rows("SELECT example.statements()"))[0].statements);

async function create() {
  await rows("CREATE EXTENSION pg_snowflake");
  await rows(`
    CREATE TABLE customers (
      id bigint PRIMARY KEY DEFAULT snowflake_nextval(),
      name text NOT NULL
    )`);
  await rows(`
    CREATE TABLE orders (
      id bigint PRIMARY KEY DEFAULT snowflake_nextval(),
      customer_id bigint NOT NULL REFERENCES customers,
      note text NOT NULL
    )`);
}

async function one() {
  const [{ id }] = await rows("INSERT INTO customers (name) VALUES ($1) RETURNING id", "Ann");
  assert.match(id, /^\d{18,19}$/);
  // A BigInt is a parameter like any other.
  assert.deepEqual(await rows("SELECT name FROM customers WHERE id = $1", BigInt(id)), [{ name: "Ann" }]);
  // What a session knows of its last ID is nothing: there is RETURNING.
  await assert.rejects(rows("SELECT lastval()"), /lastval is not yet defined/);
  return id;
}

async function many(customer) {
  const notes = Array.from({ length: 1000 }, (_, n) => `order ${n}`);
  const before = await statements();
  const ids = (await rows(
    "INSERT INTO orders (customer_id, note) SELECT $1, unnest($2::text[]) RETURNING id", customer, notes,
  )).map(({ id }) => id);
  const taken = (await statements()) - before;
  console.log(`statements for 1,000 rows by unnest: ${taken}`);
  assert.equal(taken, 1);
  assert.equal(new Set(ids).size, 1000);
  assert.deepEqual(ids, ids.toSorted?.() ?? [...ids].sort());

  const [joined] = await rows(`
    SELECT count(*)::int AS orders FROM orders AS o JOIN customers AS c ON c.id = o.customer_id
    WHERE c.name = 'Ann'`);
  assert.equal(joined.orders, 1000);
  return ids;
}

async function pages(ids) {
  const read = [];
  for (let last = "0"; ;) {
    const page = await rows("SELECT id FROM orders WHERE id > $1 ORDER BY id LIMIT 300", last);
    if (page.length === 0) break;
    read.push(...page.map(({ id }) => id));
    last = read.at(-1);
  }
  assert.deepEqual(read, ids);
}

async function window(id) {
  const now = Date.now();
  const hour = 3_600_000;
  const count = async (from, to) => (await rows(
    "SELECT count(*)::int AS orders FROM orders WHERE snowflake_between(id, $1, $2)",
    new Date(from), new Date(to),
  ))[0].orders;
  assert.equal(await count(now - hour, now + hour), 1000);
  assert.equal(await count(now - 2 * hour, now - hour), 0);

  // The time of an ID, where there is no database (default layout and epoch).
  const time = new Date(Number((BigInt(id) >> 22n) + BigInt(Date.UTC(2024, 0, 1))));
  assert.deepEqual(await rows("SELECT snowflake_timestamp($1) AS time", id), [{ time }]);
}

await create();
const customer = await one();
const ids = await many(customer);
await pages(ids);
await window(ids[0]);
await db.end();
