"""Suggestions that were decided; versions of users and schedules, for who changes what they have read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the columns."""
    for table in ("users", "schedules"):
        op.add_column(table, sa.Column("version", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "suggestions",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_number", sa.BigInteger(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_suggestions_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "number", name="pk_suggestions"),
    )
    op.create_index("ix_suggestions_firm_id_id", "suggestions", ["firm_id", "id"])
    op.create_index("ix_suggestions_firm_id_key", "suggestions", ["firm_id", "key"])
    if op.get_bind().dialect.name == "sqlite":
        return
    mine = "current_setting('evenhand.firm', true)"
    op.execute("ALTER TABLE suggestions ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE suggestions FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_firm ON suggestions USING (firm_id = {mine}) WITH CHECK (firm_id = {mine})")
