import { relations, sql } from "drizzle-orm";
import { bigint, pgTable, text } from "drizzle-orm/pg-core";

// "number" is for a 53-bit layout alone, see safe-numbers.js. `drizzle-kit pull` writes it for any.
const mode = process.env.ID_MODE ?? "bigint";

export const customers = pgTable("customers", {
  id: bigint({ mode }).primaryKey().default(sql`snowflake_nextval()`),
  name: text().notNull(),
});

export const orders = pgTable("orders", {
  id: bigint({ mode }).primaryKey().default(sql`snowflake_nextval()`),
  customerId: bigint("customer_id", { mode }).notNull().references(() => customers.id),
  note: text().notNull(),
});

export const customerRelations = relations(customers, ({ many }) => ({ orders: many(orders) }));
export const orderRelations = relations(orders, ({ one }) => ({
  customer: one(customers, { fields: [orders.customerId], references: [customers.id] }),
}));
