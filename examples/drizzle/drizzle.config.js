import { defineConfig } from "drizzle-kit";

const { PGHOST, PGUSER, PGDATABASE } = process.env;

export default defineConfig({
  dialect: "postgresql",
  schema: "./schema.js",
  dbCredentials: { host: PGHOST, user: PGUSER, database: PGDATABASE, ssl: false },
});
