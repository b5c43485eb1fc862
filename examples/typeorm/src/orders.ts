// TypeORM: entities with the server's default as key, saved alone, in cascade and in bulk.
import "reflect-metadata";
import assert from "node:assert/strict";
import { DataSource, MoreThan } from "typeorm";
import { Customer, Order } from "./entities.js";

const { PGHOST, PGPORT, PGUSER, PGDATABASE } = process.env;
const options = {
  type: "postgres" as const,
  host: PGHOST, port: Number(PGPORT), username: PGUSER, database: PGDATABASE,
  entities: [Customer, Order],
  installExtensions: false,
};

async function main() {
  const db = await new DataSource(options).initialize();
  await db.query("CREATE EXTENSION pg_snowflake");
  await db.synchronize();
  // What is there agrees with the entities.
  assert.deepEqual((await db.driver.createSchemaBuilder().log()).upQueries, []);

  const ann = await one(db);
  await many(db, ann);
  await pages(db);
  await window(db);

  // As tests do it; the extension stays.
  await db.synchronize(true);
  assert.equal(await db.getRepository(Order).count(), 0);
  assert.ok((await db.getRepository(Customer).save({ name: "Bob" })).id > ann.id);
  await db.destroy();
}

async function one(db: DataSource) {
  const customers = db.getRepository(Customer);
  const orders = ["first", "second"].map((note) => db.getRepository(Order).create({ note }));
  const ann = await customers.save(customers.create({ name: "Ann", orders }));
  assert.match(ann.id, /^\d{18,19}$/);
  const found = await customers.findOneOrFail({ where: { id: ann.id }, relations: { orders: true } });
  assert.deepEqual(found.orders.map(({ note }) => note).sort(), ["first", "second"]);
  return ann;
}

async function many(db: DataSource, customer: Customer) {
  const orders = db.getRepository(Order);
  const statements = async () => Number((await db.query("SELECT example.statements()"))[0].statements);
  const before = await statements();
  const saved = await orders.save(
    Array.from({ length: 1000 }, (_, n) => orders.create({ customer, note: `order ${n}` })));
  const taken = (await statements()) - before;
  console.log(`statements for 1,000 rows by save(): ${taken}`);
  assert.equal(taken, 1);
  const ids = saved.map(({ id }) => id);
  assert.equal(new Set(ids).size, 1000);
  assert.deepEqual(ids, [...ids].sort());
}

async function pages(db: DataSource) {
  const orders = db.getRepository(Order);
  const read: string[] = [];
  for (let last = "0"; ;) {
    const page = await orders.find({ where: { id: MoreThan(last) }, order: { id: "ASC" }, take: 300 });
    if (page.length === 0) break;
    read.push(...page.map(({ id }) => id));
    last = read[read.length - 1];
  }
  assert.equal(new Set(read).size, 1002);
}

async function window(db: DataSource) {
  const hour = 3_600_000;
  const count = (from: number, to: number) => db.getRepository(Order).createQueryBuilder("o")
    .where("snowflake_between(o.id, :from, :to)", { from: new Date(from), to: new Date(to) })
    .getCount();
  assert.equal(await count(Date.now() - hour, Date.now() + hour), 1002);
  assert.equal(await count(Date.now() - 2 * hour, Date.now() - hour), 0);
}

await main();
