"""customers and their orders; the tables as autogenerate writes them"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.execute("CREATE EXTENSION pg_snowflake")
    op.create_table(
        "customers",
        sa.Column("id", sa.BigInteger(), server_default=sa.text("snowflake_nextval()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger(), server_default=sa.text("snowflake_nextval()"), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "notes",
        sa.Column("id", sa.BigInteger(), server_default=sa.text("snowflake_nextval()"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade():
    for table in "notes", "orders", "customers":
        op.drop_table(table)
    op.execute("DROP EXTENSION pg_snowflake")
