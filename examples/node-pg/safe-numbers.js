// With datacenter, machine and sequence of 12 bits together every ID is a safe Number until 2093. Runs once for
// each layout of docs/clients.md.
import assert from "node:assert/strict";
import pg from "pg";

pg.types.setTypeParser(20, Number);
const db = new pg.Client();
await db.connect();
const rows = async (sql, ...parameters) => (await db.query(sql, parameters)).rows;
const bits = async (part) => Number((await rows(`SELECT current_setting('pg_snowflake.${part}_bits') AS bits`))[0].bits);

const servers = 2 ** (await bits("datacenter") + await bits("machine"));
const perMillisecond = 2 ** await bits("sequence");
console.log(`${servers} servers, ${perMillisecond} IDs a millisecond`);
assert.equal(servers * perMillisecond, 2 ** 12);

await rows("CREATE EXTENSION pg_snowflake");
await rows("CREATE TABLE notes (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), n int)");
const notes = await rows("INSERT INTO notes (n) SELECT generate_series(1, 20000) RETURNING id, n");
assert.equal(new Set(notes.map(({ id }) => id)).size, 20000);
assert.ok(notes.every(({ id }) => Number.isSafeInteger(id)));

const [json] = await rows(`
  SELECT json_agg(notes ORDER BY id) AS parsed, json_agg(notes ORDER BY id)::text AS text FROM notes`);
assert.deepEqual(json.parsed, notes);
assert.deepEqual(JSON.parse(json.text), notes);

// The price: so many IDs are of one millisecond, and can be reserved at once.
assert.equal((await rows("SELECT snowflake_reserve($1)", perMillisecond)).length, 1);
await assert.rejects(rows("SELECT snowflake_reserve($1)", perMillisecond + 1), { code: "22023" });

// The last safe ID, and the first of the next millisecond.
const encode = async (...parts) => (await rows("SELECT snowflake_encode($1, $2, $3, $4) AS id", ...parts))[0].id;
const last = await encode("2093-09-06 15:47:35.551+00", 0, servers - 1, perMillisecond - 1);
assert.equal(last, Number.MAX_SAFE_INTEGER);
assert.equal(await encode("2093-09-06 15:47:35.552+00", 0, 0, 0), Number.MAX_SAFE_INTEGER + 1);
await db.end();
