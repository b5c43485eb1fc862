CREATE EXTENSION pg_snowflake;

CREATE TABLE "customers" (
    "id" BIGINT NOT NULL DEFAULT snowflake_nextval(),
    "name" TEXT NOT NULL,
    CONSTRAINT "customers_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "orders" (
    "id" BIGINT NOT NULL DEFAULT snowflake_nextval(),
    "customer_id" BIGINT NOT NULL,
    "note" TEXT NOT NULL,
    CONSTRAINT "orders_pkey" PRIMARY KEY ("id")
);

ALTER TABLE "orders" ADD CONSTRAINT "orders_customer_id_fkey"
    FOREIGN KEY ("customer_id") REFERENCES "customers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
