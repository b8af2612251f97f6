"""Solves with their incumbents and progress, schedules of firms, and the workers that live."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FENCED = ("solves", "incumbents", "solve_events", "schedules")


def upgrade() -> None:
    """Make the tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "solves",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "state", "asked", "actor")),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("cancel_at", moment, nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=True),
        *(sa.Column(name, moment, nullable=True) for name in ("planned_at", "started_at", "ended_at")),
        sa.Column("spent_s", sa.Float(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("objective_min", sa.BigInteger(), nullable=True),
        sa.Column("bound_min", sa.BigInteger(), nullable=True),
        sa.Column("gap_pct", sa.Float(), nullable=True),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("log_before", sa.BigInteger(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("plan", "result", "error")),
        sa.ForeignKeyConstraint(["firm_id", "plan"], ["plans.firm_id", "plans.id"], name="fk_solves_firm_id_plan"),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_solves_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "id", name="pk_solves"),
    )
    op.create_index("ix_solves_firm_id_state_number", "solves", ["firm_id", "state", "number"])
    op.create_table(
        "incumbents",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("solve", sa.Text(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["firm_id", "solve"], ["solves.firm_id", "solves.id"], name="fk_incumbents_firm_id_solve"
        ),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_incumbents_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "solve", name="pk_incumbents"),
    )
    op.create_table(
        "solve_events",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("solve", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["firm_id", "solve"], ["solves.firm_id", "solves.id"], name="fk_solve_events_firm_id_solve"
        ),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_solve_events_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "solve", "number", name="pk_solve_events"),
    )
    op.create_table(
        "schedules",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_schedules_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "id", name="pk_schedules"),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("beat_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
    )
    if op.get_bind().dialect.name == "sqlite":
        return
    mine = "current_setting('evenhand.firm', true)"
    for table in FENCED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY one_firm ON {table} USING (firm_id = {mine}) WITH CHECK (firm_id = {mine})")
