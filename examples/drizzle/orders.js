// Drizzle with keys as BigInt, and what its relational queries need for that.
import assert from "node:assert/strict";
import { asc, eq, gt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import JSONbig from "json-bigint";
import pg from "pg";
import * as schema from "./schema.js";

const { customers, orders } = schema;
const pool = new pg.Pool();
const db = drizzle(pool, { schema });
const statements = async () => Number((await pool.query("SELECT example.statements()")).rows[0].statements);

// One row, and its key.
const [ann] = await db.insert(customers).values({ name: "Ann" }).returning();
assert.equal(typeof ann.id, "bigint");
assert.ok(ann.id > 2n ** 53n);

// Many.
const before = await statements();
const notes = Array.from({ length: 1000 }, (_, n) => ({ customerId: ann.id, note: `order ${n}` }));
const inserted = (await db.insert(orders).values(notes).returning({ id: orders.id })).map(({ id }) => id);
const taken = (await statements()) - before;
console.log(`statements for 1,000 rows by insert().values(): ${taken}`);
assert.equal(taken, 1);
assert.equal(new Set(inserted).size, 1000);
assert.ok(inserted.every((id, n) => n === 0 || inserted[n - 1] < id));

// Related.
const joined = await db.select({ id: orders.id, name: customers.name })
  .from(orders).innerJoin(customers, eq(customers.id, orders.customerId)).orderBy(asc(orders.id));
assert.deepEqual(joined.map(({ id }) => id), inserted);

// A relational query comes as JSON from the database, and JSON.parse rounds: keys of other rows.
const related = async () => (await db.query.customers.findFirst({
  with: { orders: { orderBy: asc(orders.id) } },
})).orders.map(({ id }) => id);
const rounded = await related();
assert.ok(new Set(rounded).size < 100);
// With a parser that knows BigInt it is exact.
const exact = JSONbig({ useNativeBigInt: true });
for (const type of [114, 3802]) pg.types.setTypeParser(type, (text) => exact.parse(text));
assert.deepEqual(await related(), inserted);

// Page by page.
const read = [];
for (let last = 0n; ;) {
  const page = await db.select({ id: orders.id }).from(orders)
    .where(gt(orders.id, last)).orderBy(asc(orders.id)).limit(300);
  if (page.length === 0) break;
  read.push(...page.map(({ id }) => id));
  last = read.at(-1);
}
assert.deepEqual(read, inserted);

// A window of time.
const hour = 3_600_000;
const between = (id, from, to) => sql`snowflake_between(${id}, ${new Date(from)}, ${new Date(to)})`;
assert.equal(await db.$count(orders, between(orders.id, Date.now() - hour, Date.now() + hour)), 1000);
assert.equal(await db.$count(orders, between(orders.id, Date.now() - 2 * hour, Date.now() - hour)), 0);

// JSON.stringify does not take a BigInt: keys leave as strings.
assert.throws(() => JSON.stringify(ann), /serialize a BigInt/);
assert.equal(JSON.parse(JSON.stringify({ ...ann, id: String(ann.id) })).id, String(ann.id));

await pool.end();
