"""psycopg 3: RETURNING for one row and for many, COPY, and keys as pages and times."""

from datetime import datetime, timedelta, timezone

import psycopg


def main():
    with psycopg.connect(autocommit=True) as db:
        create(db)
        ann = one(db)
        many(db, ann)
        pages(db)
        window(db)


def create(db):
    db.execute("CREATE EXTENSION pg_snowflake")
    db.execute("""
        CREATE TABLE customers (
            id bigint PRIMARY KEY DEFAULT snowflake_nextval(),
            name text NOT NULL
        )""")
    db.execute("""
        CREATE TABLE orders (
            id bigint PRIMARY KEY DEFAULT snowflake_nextval(),
            customer_id bigint NOT NULL REFERENCES customers,
            note text NOT NULL
        )""")


def one(db):
    insert = "INSERT INTO customers (name) VALUES (%s) RETURNING id"
    ann = db.execute(insert, ["Ann"]).fetchone()[0]
    bob = db.execute(insert, ["Bob"]).fetchone()[0]
    assert 2**53 < ann < bob < 2**63
    return ann


def many(db, customer):
    notes = [f"order {n}" for n in range(1000)]

    # As many statements as rows, but sent in one go.
    with counted(db, "executemany", 1000), db.cursor() as cursor:
        insert = "INSERT INTO orders (customer_id, note) VALUES (%s, %s) RETURNING id"
        cursor.executemany(insert, [(customer, note) for note in notes], returning=True)
        ids = [result.fetchone()[0] for result in cursor.results()]
    assert in_order(ids, 1000)

    with counted(db, "unnest", 1):
        ids = db.execute(
            "INSERT INTO orders (customer_id, note) SELECT %s, unnest(%s::text[]) RETURNING id",
            [customer, notes]).fetchall()
    assert in_order([id for id, in ids], 1000)

    with counted(db, "COPY", 1), db.cursor() as cursor:
        with cursor.copy("COPY orders (customer_id, note) FROM STDIN") as copy:
            for note in notes:
                copy.write_row((customer, note))

    # COPY gives no keys back, so take them first.
    with counted(db, "COPY with a reserved block", 2), db.cursor() as cursor:
        first = cursor.execute("SELECT snowflake_reserve(%s)", [len(notes)]).fetchone()[0]
        with cursor.copy("COPY orders (id, customer_id, note) FROM STDIN") as copy:
            for id, note in enumerate(notes, start=first):
                copy.write_row((id, customer, note))
    assert db.execute("SELECT note FROM orders WHERE id = %s", [first + 7]).fetchone() == ("order 7",)

    joined = "SELECT count(*) FROM orders AS o JOIN customers AS c ON c.id = o.customer_id WHERE c.name = %s"
    assert db.execute(joined, ["Ann"]).fetchone() == (4000,)


def pages(db):
    read, last = [], 0
    while page := db.execute(
            "SELECT id FROM orders WHERE id > %s ORDER BY id LIMIT 300", [last]).fetchall():
        read += [id for id, in page]
        last = read[-1]
    assert in_order(read, 4000)


def window(db):
    now = datetime.now(timezone.utc)
    hour = timedelta(hours=1)
    count = "SELECT count(*) FROM orders WHERE snowflake_between(id, %s, %s)"
    assert db.execute(count, [now - hour, now + hour]).fetchone() == (4000,)
    assert db.execute(count, [now - 2 * hour, now - hour]).fetchone() == (0,)
    plan = db.execute("EXPLAIN " + count, [now - 2 * hour, now - hour]).fetchall()
    assert any("orders_pkey" in line for line, in plan), plan


def in_order(ids, count):
    return len(set(ids)) == count and ids == sorted(ids)


class counted:
    """How many statements a block of code takes for 1,000 rows."""

    def __init__(self, db, what, expected):
        self.db, self.what, self.expected = db, what, expected

    def statements(self):
        return self.db.execute("SELECT example.statements()").fetchone()[0]

    def __enter__(self):
        self.before = self.statements()

    def __exit__(self, *error):
        if error == (None, None, None):
            taken = self.statements() - self.before
            print(f"statements for 1,000 rows by {self.what}: {taken}")
            assert taken == self.expected


main()
