"""A reserved block and fork(), as in gunicorn --preload or Celery: why a pool has to forget."""

import os

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Customer, engine


def main():
    with engine.connect() as connection:
        block = iter(range(first := connection.scalar(select(func.snowflake_reserve(1000))), first + 1000))
    with Session(engine) as session:
        session.add(Customer(name="before"))
        session.commit()
    engine.dispose()

    # A block that is just kept is given out by both.
    assert in_child(lambda: next(block)) == next(block)
    # snowflakes.py forgets it in the child.
    theirs, ours = in_child(lambda: insert("child")), insert("parent")
    assert theirs != ours
    print("After fork(), parent and child have IDs of their own.")


def insert(name):
    with Session(engine) as session:
        customer = Customer(name=name)
        session.add(customer)
        session.commit()
        return customer.id


def in_child(work):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.write(write, str(work()).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(write)
    assert os.waitpid(child, 0)[1] == 0
    with os.fdopen(read) as answer:
        return int(answer.read())


main()
