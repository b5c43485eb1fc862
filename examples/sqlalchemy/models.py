from sqlalchemy import BigInteger, ForeignKey, Text, create_engine, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from snowflakes import Snowflakes

# PGHOST and so on say where.
engine = create_engine("postgresql+psycopg://")


class Base(DeclarativeBase):
    pass


# One pool serves all tables. The server's default is for rows that others insert.
snowflakes = Snowflakes()


def key():
    return mapped_column(
        BigInteger, primary_key=True, default=snowflakes, server_default=func.snowflake_nextval())


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = key()
    name: Mapped[str] = mapped_column(Text)
    orders: Mapped[list["Order"]] = relationship(back_populates="customer", order_by="Order.id")


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = key()
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    note: Mapped[str] = mapped_column(Text)
    customer: Mapped[Customer] = relationship(back_populates="orders")


class Note(Base):
    """Its key comes from the server alone: fine for a row at a time, see orders.py."""
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, server_default=func.snowflake_nextval())
    text: Mapped[str] = mapped_column(Text)
