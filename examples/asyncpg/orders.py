"""asyncpg: a pool, so RETURNING; arrays and COPY for many rows."""

import asyncio
from datetime import datetime, timedelta, timezone

import asyncpg


async def main():
    # PGHOST and so on say where.
    async with asyncpg.create_pool(min_size=2, max_size=4) as db:
        await create(db)
        ann = await one(db)
        await many(db, ann)
        await at_once(db, ann)
        await pages(db)
        await window(db)


async def create(db):
    await db.execute("CREATE EXTENSION pg_snowflake")
    await db.execute("""
        CREATE TABLE customers (
            id bigint PRIMARY KEY DEFAULT snowflake_nextval(),
            name text NOT NULL
        )""")
    await db.execute("""
        CREATE TABLE orders (
            id bigint PRIMARY KEY DEFAULT snowflake_nextval(),
            customer_id bigint NOT NULL REFERENCES customers,
            note text NOT NULL
        )""")


async def one(db):
    insert = "INSERT INTO customers (name) VALUES ($1) RETURNING id"
    ann = await db.fetchval(insert, "Ann")
    bob = await db.fetchval(insert, "Bob")
    assert 2**53 < ann < bob
    return ann


async def many(db, customer):
    notes = [f"order {n}" for n in range(1000)]
    insert = "INSERT INTO orders (customer_id, note) VALUES ($1, $2) RETURNING id"
    async with db.acquire() as connection:
        rows = await counted(db, "fetchmany", 1000, connection.fetchmany(
            insert, [(customer, note) for note in notes]))
        assert in_order([id for id, in rows], 1000)

        rows = await counted(db, "unnest", 1, connection.fetch(
            "INSERT INTO orders (customer_id, note) SELECT $1, unnest($2::text[]) RETURNING id",
            customer, notes))
        assert in_order([id for id, in rows], 1000)

        async def copy():
            first = await connection.fetchval("SELECT snowflake_reserve($1)", len(notes))
            await connection.copy_records_to_table(
                "orders", columns=["id", "customer_id", "note"],
                records=[(id, customer, note) for id, note in enumerate(notes, start=first)])
            return first

        first = await counted(db, "copy_records_to_table with a reserved block", 2, copy())
    assert await db.fetchval("SELECT note FROM orders WHERE id = $1", first + 7) == "order 7"
    assert await db.fetchval("""
        SELECT count(*) FROM orders AS o JOIN customers AS c ON c.id = o.customer_id WHERE c.name = 'Ann'
        """) == 3000


async def at_once(db, customer):
    """Through a pool, from several connections at a time: each has its own row's key."""
    insert = "INSERT INTO orders (customer_id, note) VALUES ($1, $2) RETURNING id"
    notes = [f"at once {n}" for n in range(100)]
    ids = await asyncio.gather(*(db.fetchval(insert, customer, note) for note in notes))
    for id, note in zip(ids, notes):
        assert await db.fetchval("SELECT note FROM orders WHERE id = $1", id) == note


async def pages(db):
    read, last = [], 0
    while page := await db.fetch("SELECT id FROM orders WHERE id > $1 ORDER BY id LIMIT 300", last):
        read += [id for id, in page]
        last = read[-1]
    assert in_order(read, 3100)


async def window(db):
    now, hour = datetime.now(timezone.utc), timedelta(hours=1)
    count = "SELECT count(*) FROM orders WHERE snowflake_between(id, $1, $2)"
    assert await db.fetchval(count, now - hour, now + hour) == 3100
    assert await db.fetchval(count, now - 2 * hour, now - hour) == 0


def in_order(ids, count):
    return len(set(ids)) == count and ids == sorted(ids)


async def counted(db, what, expected, work):
    statements = "SELECT example.statements()"
    before = await db.fetchval(statements)
    result = await work
    taken = await db.fetchval(statements) - before
    print(f"statements for 1,000 rows by {what}: {taken}")
    assert taken == expected
    return result


asyncio.run(main())
