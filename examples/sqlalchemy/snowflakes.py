"""Keys for rows that are inserted many at a time, from a reserved block."""

import os
import threading

from sqlalchemy import func, select


class Snowflakes:
    """A default that gives out a block of IDs before it fetches the next one.

    A block is one process's: a child of fork() forgets its parent's, or both would give out the same IDs.
    """

    def __init__(self, block=1000):
        self.block = block
        self.forget()
        os.register_at_fork(after_in_child=self.forget)

    def forget(self):
        self.lock = threading.Lock()
        self.ids = iter(())

    def __call__(self, context):
        with self.lock:
            id = next(self.ids, None)
            if id is None:
                first = context.connection.scalar(select(func.snowflake_reserve(self.block)))
                self.ids = iter(range(first, first + self.block))
                id = next(self.ids)
            return id
