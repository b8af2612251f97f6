"""The life of proposals; webhooks, their deliveries, and the inbox."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("proposal_moves", "proposal_states", "inbox", "webhooks", "deliveries")


def upgrade() -> None:
    """Make the tables, and take over the proposals that are there."""
    op.add_column("proposals", sa.Column("facts", sa.Text(), nullable=True))
    _proposals()
    _delivery()
    _take_over()
    if op.get_bind().dialect.name == "sqlite":
        return
    mine = "current_setting('evenhand.firm', true)"
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY one_firm ON {table} USING (firm_id = {mine}) WITH CHECK (firm_id = {mine})")


def _table(name: str, *parts: sa.Column[object] | sa.ForeignKeyConstraint, key: tuple[str, ...]) -> None:
    op.create_table(
        name,
        sa.Column("firm_id", sa.Text(), nullable=False),
        *parts,
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=f"fk_{name}_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", *key, name=f"pk_{name}"),
    )


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _to(table: str, column: str, there: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_firm_id_{column}"
    return sa.ForeignKeyConstraint(["firm_id", column], [f"{there}.firm_id", f"{there}.id"], name=name)


def _proposals() -> None:
    _table(
        "proposal_moves",
        _text("proposal"),
        _text("task"),
        _text("from_person", nullable=True),
        _text("to_person"),
        _to("proposal_moves", "proposal", "proposals"),
        key=("proposal", "task"),
    )
    op.create_index("ix_proposal_moves_firm_id_task", "proposal_moves", ["firm_id", "task"])
    _table(
        "proposal_states",
        _text("proposal"),
        _text("state"),
        _moment("at", nullable=False),
        _text("actor"),
        _text("reason"),
        _number("decision", nullable=True),
        _to("proposal_states", "proposal", "proposals"),
        key=("proposal", "state"),
    )


def _delivery() -> None:
    _table(
        "inbox",
        _number("number"),
        _text("person"),
        _text("topic"),
        _text("document"),
        _moment("at", nullable=False),
        _moment("read_at"),
        _text("read_by", nullable=True),
        key=("number", "person"),
    )
    op.create_index("ix_inbox_firm_id_person_number", "inbox", ["firm_id", "person", "number"])
    _table(
        "webhooks",
        _text("id"),
        _number("version"),
        _text("label"),
        _text("url"),
        _text("topics"),
        _text("secret"),
        _text("old_secret", nullable=True),
        _moment("old_until"),
        _moment("created_at", nullable=False),
        _moment("failing_since"),
        _moment("disabled_at"),
        _text("disabled_why", nullable=True),
        key=("id",),
    )
    _table(
        "deliveries",
        _text("webhook"),
        _number("number"),
        _text("topic"),
        _text("document"),
        _moment("at", nullable=False),
        _text("status"),
        _number("attempts"),
        _moment("next_at", nullable=False),
        _moment("leased_until"),
        _moment("tried_at"),
        _number("answered", nullable=True),
        _text("error", nullable=True),
        _moment("delivered_at"),
        _to("deliveries", "webhook", "webhooks"),
        key=("webhook", "number"),
    )
    op.create_index("ix_deliveries_firm_id_status_next_at", "deliveries", ["firm_id", "status", "next_at"])
    columns = ["firm_id", "webhook", "status", "number"]
    op.create_index("ix_deliveries_firm_id_webhook_status_number", "deliveries", columns)


def _take_over() -> None:
    """Give the proposals that are there their moves and their first state; "open" is called "created" from now on."""
    connection = op.get_bind()
    fenced = connection.dialect.name != "sqlite"
    if fenced:  # the owner sees no row of any firm else
        op.execute("ALTER TABLE proposals NO FORCE ROW LEVEL SECURITY")
    proposals = sa.table(
        "proposals", *(sa.column(name) for name in ("firm_id", "id", "document", "status", "created_at"))
    )
    moves = sa.table(
        "proposal_moves", *(sa.column(n) for n in ("firm_id", "proposal", "task", "from_person", "to_person"))
    )
    found = connection.execute(sa.select(proposals.c.firm_id, proposals.c.id, proposals.c.document)).all()
    for firm, id, document in found:
        for move in json.loads(document)["moves"]:
            connection.execute(sa.insert(moves).values(firm_id=firm, proposal=id, **move))
    op.execute(
        "INSERT INTO proposal_states (firm_id, proposal, state, at, actor, reason, decision) "
        "SELECT firm_id, id, 'created', created_at, 'migration', '', NULL FROM proposals"
    )
    op.execute(
        "INSERT INTO proposal_states (firm_id, proposal, state, at, actor, reason, decision) "
        "SELECT firm_id, id, status, ended_at, 'migration', '', decision FROM proposals WHERE ended_at IS NOT NULL"
    )
    op.execute("UPDATE proposals SET status = 'created' WHERE status = 'open'")
    if fenced:
        op.execute("ALTER TABLE proposals FORCE ROW LEVEL SECURITY")
