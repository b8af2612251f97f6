"""Tokens of the HTTP API, fenced off by firm like everything else."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "tokens",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["firm_id", "person"], ["people.firm_id", "people.id"], name="fk_tokens_firm_id_person"
        ),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_tokens_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "id", name="pk_tokens"),
    )
    if op.get_bind().dialect.name == "sqlite":
        return
    mine = "current_setting('evenhand.firm', true)"
    op.execute("ALTER TABLE tokens ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE tokens FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_firm ON tokens USING (firm_id = {mine}) WITH CHECK (firm_id = {mine})")
