"""Firms with their parts and history, the decision log, the outbox; the log append-only, firms fenced off on PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

OF_FIRM = (
    "assignments", "calendar_entries", "changes", "clients", "decisions", "exceptions", "idempotency_keys", "outbox", "people",
    "plans", "proposals", "scenarios", "task_types", "tasks", "time_entries",
)  # fmt: skip
"""Tables fenced off by ``firm_id``."""


def upgrade() -> None:
    """Make everything from nothing."""
    _tables()
    if op.get_bind().dialect.name == "sqlite":
        _append_only_on_sqlite()
    else:
        _append_only_on_postgresql()
        _fences()


def _append_only_on_sqlite() -> None:
    for what in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER decisions_no_{what.lower()} BEFORE {what} ON decisions "
            f"BEGIN SELECT RAISE(ABORT, 'the decision log is append-only: {what}'); END"
        )


def _append_only_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change_of_decisions() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the decision log is append-only: %', TG_OP; END $$"
    )
    for what, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER decisions_no_{what.lower()} BEFORE {what} ON decisions "
            f"FOR EACH {each} EXECUTE FUNCTION refuse_change_of_decisions()"
        )


def _fences() -> None:
    """A transaction sees and writes the firm that ``evenhand.firm`` names; ids of firms are listed under ``*``.

    Forced, so that the owner of the tables is held back as well; only superusers are not.
    """
    mine = "current_setting('evenhand.firm', true)"
    for table in OF_FIRM:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY one_firm ON {table} USING (firm_id = {mine}) WITH CHECK (firm_id = {mine})")
    op.execute("ALTER TABLE firms ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE firms FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_firm ON firms USING (id = {mine}) WITH CHECK (id = {mine})")
    op.execute(f"CREATE POLICY every_firm ON firms FOR SELECT USING ({mine} = '*')")


def _tables() -> None:
    op.create_table(
        "firms",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("base_version", sa.BigInteger(), nullable=False),
        sa.Column("base_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("log_number", sa.BigInteger(), nullable=False),
        sa.Column("log_hash", sa.Text(), nullable=False),
        sa.Column("outbox_number", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_firms"),
    )
    op.create_table(
        "assignments",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("until_version", sa.BigInteger(), nullable=True),
        sa.Column("decision", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_assignments_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "task", "version", name="pk_assignments"),
    )
    op.create_index(
        "ix_assignments_firm_id_person_until_version", "assignments", ["firm_id", "person", "until_version"]
    )
    op.create_table(
        "changes",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_changes_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "version", name="pk_changes"),
    )
    op.create_index("ix_changes_firm_id_kind_part_version", "changes", ["firm_id", "kind", "part", "version"])
    op.create_table(
        "clients",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_clients_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "id", name="pk_clients"),
    )
    op.create_table(
        "decisions",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=True),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("board_version", sa.BigInteger(), nullable=False),
        sa.Column("base_version", sa.BigInteger(), nullable=False),
        sa.Column("base_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_decisions_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "number", name="pk_decisions"),
    )
    op.create_index("ix_decisions_firm_id_task_number", "decisions", ["firm_id", "task", "number"])
    op.create_table(
        "exceptions",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_how", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_exceptions_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "number", name="pk_exceptions"),
    )
    op.create_index("ix_exceptions_firm_id_closed_at_number", "exceptions", ["firm_id", "closed_at", "number"])
    op.create_index("ix_exceptions_firm_id_task", "exceptions", ["firm_id", "task"])
    op.create_table(
        "idempotency_keys",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_idempotency_keys_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "key", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_firm_id_at", "idempotency_keys", ["firm_id", "at"])
    op.create_table(
        "outbox",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_outbox_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "number", name="pk_outbox"),
    )
    op.create_index("ix_outbox_firm_id_delivered_at_number", "outbox", ["firm_id", "delivered_at", "number"])
    op.create_table(
        "people",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_people_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "id", name="pk_people"),
    )
    op.create_table(
        "plans",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("objective_min", sa.BigInteger(), nullable=False),
        sa.Column("bound_min", sa.BigInteger(), nullable=False),
        sa.Column("gap_pct", sa.Float(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_plans_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "id", name="pk_plans"),
    )
    op.create_index("ix_plans_firm_id_at", "plans", ["firm_id", "at"])
    op.create_table(
        "scenarios",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_scenarios_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "id", name="pk_scenarios"),
    )
    op.create_table(
        "task_types",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("skill", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_task_types_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "id", name="pk_task_types"),
    )
    op.create_table(
        "calendar_entries",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["firm_id", "person"], ["people.firm_id", "people.id"], name="fk_calendar_entries_firm_id_person"
        ),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_calendar_entries_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "id", name="pk_calendar_entries"),
    )
    op.create_index(
        "ix_calendar_entries_firm_id_person_first_day", "calendar_entries", ["firm_id", "person", "first_day"]
    )
    op.create_table(
        "proposals",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.BigInteger(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id", "plan"], ["plans.firm_id", "plans.id"], name="fk_proposals_firm_id_plan"),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_proposals_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "id", name="pk_proposals"),
    )
    op.create_index("ix_proposals_firm_id_status_created_at", "proposals", ["firm_id", "status", "created_at"])
    op.create_table(
        "tasks",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("reviews", sa.Text(), nullable=True),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["firm_id", "assignee"], ["people.firm_id", "people.id"], name="fk_tasks_firm_id_assignee"
        ),
        sa.ForeignKeyConstraint(
            ["firm_id", "client"], ["clients.firm_id", "clients.id"], name="fk_tasks_firm_id_client"
        ),
        sa.ForeignKeyConstraint(
            ["firm_id", "reviews"],
            ["tasks.firm_id", "tasks.id"],
            name="fk_tasks_firm_id_reviews",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["firm_id", "type"], ["task_types.firm_id", "task_types.id"], name="fk_tasks_firm_id_type"
        ),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_tasks_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "id", name="pk_tasks"),
    )
    op.create_index("ix_tasks_firm_id_assignee_open", "tasks", ["firm_id", "assignee", "open"])
    op.create_index("ix_tasks_firm_id_client_open", "tasks", ["firm_id", "client", "open"])
    op.create_index("ix_tasks_firm_id_open_place", "tasks", ["firm_id", "open", "place"])
    op.create_index("ix_tasks_firm_id_reviews", "tasks", ["firm_id", "reviews"])
    op.create_table(
        "time_entries",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["firm_id", "person"], ["people.firm_id", "people.id"], name="fk_time_entries_firm_id_person"
        ),
        sa.ForeignKeyConstraint(
            ["firm_id", "task"], ["tasks.firm_id", "tasks.id"], name="fk_time_entries_firm_id_task"
        ),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_time_entries_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "id", name="pk_time_entries"),
    )
    op.create_index("ix_time_entries_firm_id_person_day", "time_entries", ["firm_id", "person", "day"])
    op.create_index("ix_time_entries_firm_id_task", "time_entries", ["firm_id", "task"])
