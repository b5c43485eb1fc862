// Prisma: keys as BigInt, many rows in one statement, and where its JSON rounds.
import assert from "node:assert/strict";
import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "./generated/client.js";

// PGHOST and so on say where.
const db = new PrismaClient({ adapter: new PrismaPg({}) });
const statements = async () =>
  Number((await db.$queryRaw<{ statements: bigint }[]>`SELECT example.statements()`)[0].statements);

// One row, with rows of its own. With the preview of relationJoins, "join" is what is left unsaid, see below.
const ann = await db.customer.create({
  data: { name: "Ann", orders: { create: [{ note: "first" }, { note: "second" }] } },
  include: { orders: true },
  relationLoadStrategy: "query",
});
assert.ok(ann.id > 2n ** 53n);
assert.ok(ann.orders.every((order) => order.customerId === ann.id));

// Many.
const before = await statements();
const data = Array.from({ length: 1000 }, (_, n) => ({ customerId: ann.id, note: `order ${n}` }));
const created = await db.order.createManyAndReturn({ data });
const taken = (await statements()) - before;
console.log(`statements for 1,000 rows by createManyAndReturn: ${taken}`);
assert.equal(taken, 1);
assert.deepEqual(created.map(({ note }) => note), data.map(({ note }) => note));
assert.ok(created.every(({ id }, n) => n === 0 || created[n - 1].id < id));

// Related: exact by a query of their own, not by a join, which takes them through JSON.
const customer = async (relationLoadStrategy: "query" | "join") => (await db.customer.findUniqueOrThrow({
  where: { id: ann.id },
  include: { orders: { orderBy: { id: "asc" } } },
  relationLoadStrategy,
})).orders.map(({ id }) => id);
const ids = [...ann.orders, ...created].map(({ id }) => id).sort();
assert.deepEqual(await customer("query"), ids);
assert.notDeepEqual(await customer("join"), ids);

// A Number as key is another row's, and no error.
const other = await db.order.findMany({ where: { id: { in: created.map(({ id }) => Number(id)) } } });
assert.ok(other.length < 100);
assert.throws(() => JSON.stringify(ann), /serialize a BigInt/);

// Page by page.
const read: bigint[] = [];
for (let last = 0n; ;) {
  const page = await db.order.findMany({ where: { id: { gt: last } }, orderBy: { id: "asc" }, take: 300 });
  if (page.length === 0) break;
  read.push(...page.map(({ id }) => id));
  last = read[read.length - 1];
}
assert.deepEqual(read, ids);

// A window of time.
const hour = 3_600_000;
const between = async (from: number, to: number) => Number((await db.$queryRaw<{ count: bigint }[]>`
  SELECT count(*) FROM orders WHERE snowflake_between(id, ${new Date(from)}, ${new Date(to)})`)[0].count);
assert.equal(await between(Date.now() - hour, Date.now() + hour), 1002);
assert.equal(await between(Date.now() - 2 * hour, Date.now() - hour), 0);

await db.$disconnect();
