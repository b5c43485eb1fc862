// Drizzle with a 53-bit layout: mode "number", and nothing rounds, relational queries included.
import assert from "node:assert/strict";
import { asc } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import pg from "pg";
import * as schema from "./schema.js";

const { customers, orders } = schema;
const pool = new pg.Pool();
const db = drizzle(pool, { schema });

const [ann] = await db.insert(customers).values({ name: "Ann" }).returning();
assert.ok(Number.isSafeInteger(ann.id));
const notes = Array.from({ length: 1000 }, (_, n) => ({ customerId: ann.id, note: `order ${n}` }));
const inserted = await db.insert(orders).values(notes).returning();
assert.equal(new Set(inserted.map(({ id }) => id)).size, 1000);

const found = await db.query.customers.findFirst({ with: { orders: { orderBy: asc(orders.id) } } });
assert.deepEqual(found.orders, inserted);
assert.deepEqual(JSON.parse(JSON.stringify(found)), found);
await pool.end();
