"""SQLAlchemy: a unit of work with keys from the server, and with keys from a reserved block."""

from datetime import datetime, timedelta, timezone

from sqlalchemy import BigInteger, Column, MetaData, Table, func, insert, select, text
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable

from models import Customer, Note, Order, engine


def main():
    one()
    many()
    pages()
    window()
    mistake()


def one():
    with Session(engine) as session:
        note = Note(text="first")
        session.add(note)
        session.flush()
        assert note.id > 2**53
        # Related rows, of which none has a key yet.
        session.add(Customer(name="Ann", orders=[Order(note="first"), Order(note="second")]))
        session.commit()
        ann = session.scalars(select(Customer)).one()
        assert [order.note for order in ann.orders] == ["first", "second"]
        assert all(order.customer_id == ann.id for order in ann.orders)


def many():
    with Session(engine) as session:
        ann = session.scalars(select(Customer)).one()

        orders = [Order(note=f"order {n}", customer_id=ann.id) for n in range(1000)]
        session.add_all(orders)
        # 997 keys of the first block are left: another block, and one INSERT.
        counted(session, "add_all with a reserved block", 2, session.flush)
        ids = [order.id for order in orders]
        assert len(set(ids)) == 1000 and ids == sorted(ids)

        # The order of a table's rows is not the order of VALUES for SQLAlchemy, so it asks row by row.
        session.add_all([Note(text=f"note {n}") for n in range(1000)])
        counted(session, "add_all with the server's default", 1000, session.flush)

        # Which row has which key does not matter here.
        rows = [{"text": f"note {n}"} for n in range(1000)]
        core = insert(Note.__table__).returning(Note.__table__.c.id)
        counted(session, "Core's insert().returning()", 1,
                lambda: session.connection().execute(core, rows).all())
        session.commit()


def pages():
    with Session(engine) as session:
        read, last = [], 0
        page = select(Order).order_by(Order.id).limit(300)
        while orders := session.scalars(page.where(Order.id > last)).all():
            read += [order.id for order in orders]
            last = read[-1]
        assert len(set(read)) == 1002 and read == sorted(read)


def window():
    now = datetime.now(timezone.utc)
    hour = timedelta(hours=1)

    def orders(start, end):
        return select(func.count()).select_from(Order).where(func.snowflake_between(Order.id, start, end))

    with Session(engine) as session:
        assert session.scalar(orders(now - hour, now + hour)) == 1002
        assert session.scalar(orders(now - 2 * hour, now - hour)) == 0


def mistake():
    """autoincrement=True wins over server_default: small keys of a sequence, and no error."""
    table = Table("wrong", MetaData(), Column(
        "id", BigInteger, primary_key=True, autoincrement=True, server_default=func.snowflake_nextval()))
    assert "BIGSERIAL" in str(CreateTable(table).compile(engine))


def counted(session, what, expected, work):
    # Asked of the connection, as a session would flush first.
    statements = text("SELECT example.statements()")
    before = session.connection().scalar(statements)
    work()
    taken = session.connection().scalar(statements) - before
    print(f"statements for 1,000 rows by {what}: {taken}")
    assert taken == expected


main()
