// With datacenter, machine and sequence of 12 bits together, here 0/8/4, every ID is a safe Number until 2093.
import assert from "node:assert/strict";
import pg from "pg";

pg.types.setTypeParser(20, Number);
const db = new pg.Client();
await db.connect();
const rows = async (sql, ...parameters) => (await db.query(sql, parameters)).rows;

await rows("CREATE EXTENSION pg_snowflake");
await rows("CREATE TABLE notes (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), n int)");
const notes = await rows("INSERT INTO notes (n) SELECT generate_series(1, 20000) RETURNING id, n");
assert.equal(new Set(notes.map(({ id }) => id)).size, 20000);
assert.ok(notes.every(({ id }) => Number.isSafeInteger(id)));

const [json] = await rows("SELECT json_agg(notes ORDER BY id) AS parsed, json_agg(notes ORDER BY id)::text AS text FROM notes");
assert.deepEqual(json.parsed, notes);
assert.deepEqual(JSON.parse(json.text), notes);

// The price: 16 IDs a millisecond (then it is borrowed, then waited for), and as many at once.
assert.equal((await rows("SELECT snowflake_reserve(16) AS first")).length, 1);
await assert.rejects(rows("SELECT snowflake_reserve(17)"), { code: "22023" });

// The last one, and the next millisecond's.
const encode = "SELECT snowflake_encode($1, 0, 255, 15) AS id";
assert.deepEqual(await rows(encode, "2093-09-06 15:47:35.551+00"), [{ id: Number.MAX_SAFE_INTEGER }]);
assert.deepEqual(
  await rows("SELECT snowflake_encode($1, 0, 0, 0) AS id", "2093-09-06 15:47:35.552+00"),
  [{ id: Number.MAX_SAFE_INTEGER + 1 }],
);
await db.end();
