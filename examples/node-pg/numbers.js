// What goes wrong where an ID becomes a JavaScript Number, each mistake asserted, and what to do instead.
import assert from "node:assert/strict";
import JSONbig from "json-bigint";
import pg from "pg";

const db = new pg.Client();
await db.connect();
const rows = async (sql, ...parameters) => (await db.query(sql, parameters)).rows;

await rows("CREATE TABLE notes (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), n int)");
const notes = await rows(`
  INSERT INTO notes SELECT * FROM snowflake_nextval_batch(4096) WITH ORDINALITY RETURNING id, n`);

// A rounded key is the key of another row.
const found = new Map((await rows("SELECT id, n FROM notes")).map(({ id, n }) => [id, n]));
const seen = { right: 0, nothing: 0, another: 0 };
for (const { id, n } of notes) {
  const hit = found.get(String(Number(id)));
  seen[hit === n ? "right" : hit === undefined ? "nothing" : "another"] += 1;
}
console.log("4,096 keys as Numbers find", seen);
assert.ok(seen.another > 3_800);

// A parser that many pages on the web recommend for int8.
const parser = pg.types.getTypeParser(20);
pg.types.setTypeParser(20, Number);
const numbers = new Set((await rows("SELECT id FROM notes")).map(({ id }) => id));
assert.ok(numbers.size < 200, "4,096 rows, and few distinct ids");
pg.types.setTypeParser(20, parser);

// A BigInt is exact, but JSON.stringify does not take it: strings go to the browser.
const { id } = notes[1];
assert.throws(() => JSON.stringify({ id: BigInt(id) }), /serialize a BigInt/);
assert.equal(JSON.parse(JSON.stringify({ id })).id, id);

// PostgreSQL writes bigint into JSON as a number, so JSON.parse rounds it, also inside drivers and ORMs.
const json = "SELECT json_agg(notes ORDER BY id) AS notes FROM notes";
const parsed = (await rows(json))[0].notes.map(({ id }) => String(id));
assert.notDeepEqual(parsed, notes.map(({ id }) => id));
// Either as text from the database,
const asText = "SELECT json_agg(json_build_object('id', id::text) ORDER BY id) AS notes FROM notes";
assert.deepEqual((await rows(asText))[0].notes.map(({ id }) => id), notes.map(({ id }) => id));
// or with a parser that knows BigInt, for json and jsonb.
const exact = JSONbig({ useNativeBigInt: true });
for (const type of [114, 3802]) pg.types.setTypeParser(type, (text) => exact.parse(text));
assert.deepEqual((await rows(json))[0].notes.map(({ id }) => String(id)), notes.map(({ id }) => id));

// For links there is text that is short and sorts like the IDs.
const [{ text }] = await rows("SELECT snowflake_to_base62($1) AS text", id);
assert.match(text, /^[0-9A-Za-z]{11}$/);
assert.deepEqual(await rows("SELECT snowflake_from_base62($1) AS id", text), [{ id }]);

await db.end();
