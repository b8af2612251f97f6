"""People who sign in, their sessions, every attempt; teams of tokens; what connectors need, encrypted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NEW = ("users", "sessions", "sign_ins", "secrets")


def upgrade() -> None:
    """Make the tables."""
    op.add_column("tokens", sa.Column("team", sa.Text(), nullable=True))
    op.create_table(
        "users",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("team", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["firm_id", "person"], ["people.firm_id", "people.id"], name="fk_users_firm_id_person"),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_users_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "id", name="pk_users"),
    )
    op.create_index("ix_users_firm_id_login", "users", ["firm_id", "login"], unique=True)
    op.create_table(
        "sessions",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["firm_id", "user"], ["users.firm_id", "users.id"], name="fk_sessions_firm_id_user"),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_sessions_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "id", name="pk_sessions"),
    )
    op.create_index("ix_sessions_firm_id_user", "sessions", ["firm_id", "user"])
    op.create_table(
        "sign_ins",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_sign_ins_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "id", name="pk_sign_ins"),
    )
    op.create_index("ix_sign_ins_firm_id_at", "sign_ins", ["firm_id", "at"])
    op.create_table(
        "secrets",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("encrypted", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_secrets_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "name", name="pk_secrets"),
    )
    if op.get_bind().dialect.name == "sqlite":
        return
    mine = "current_setting('evenhand.firm', true)"
    for table in NEW:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY one_firm ON {table} USING (firm_id = {mine}) WITH CHECK (firm_id = {mine})")
