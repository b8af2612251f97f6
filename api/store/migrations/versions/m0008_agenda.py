"""When each firm has to be looked at next, kept by the database itself: one indexed question finds what is due among all firms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WHENEVER = {"sqlite": "1970-01-01 00:00:00.000000", "postgresql": "1970-01-01 00:00:00+00"}
"""Due at once, whatever the clocks say; what `api.store.agenda` calls the same."""
CAUSES = (
    ("outbox", "INSERT", "outbox", "", "post"),
    ("deliveries", "INSERT", "deliveries", "", "post"),
    ("again", "UPDATE OF status", "deliveries", "NEW.status = 'pending' AND OLD.status <> 'pending'", "post"),
    ("earlier", "UPDATE OF next_at", "deliveries", "NEW.next_at < OLD.next_at", "post"),
    ("enabled", "UPDATE OF disabled_at", "webhooks", "NEW.disabled_at IS NULL", "post"),
    ("schedule", "INSERT", "schedules", "", "jobs"),
    ("rescheduled", "UPDATE OF document", "schedules", "", "jobs"),
)
"""Name, what happens, to which table, when that matters, and what is due by it."""


def upgrade() -> None:
    """Make the table with a row of each kind per firm, and what moves its moments."""
    op.create_table(
        "agenda",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name="fk_agenda_firm_id"),
        sa.PrimaryKeyConstraint("firm_id", "kind", name="pk_agenda"),
    )
    op.create_index("ix_agenda_kind_at", "agenda", ["kind", "at"])
    dialect = op.get_bind().dialect.name
    whenever = WHENEVER[dialect]
    if dialect == "postgresql":
        mine = "current_setting('evenhand.firm', true)"
        op.execute("SELECT set_config('evenhand.firm', '*', true)")  # the owner of the tables is held back, too
        _fill(whenever)
        op.execute("SELECT set_config('evenhand.firm', '', true)")
        op.execute("ALTER TABLE agenda ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE agenda FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY one_firm ON agenda USING (firm_id = {mine}) WITH CHECK (firm_id = {mine})")
        op.execute(f"CREATE POLICY every_firm ON agenda FOR SELECT USING ({mine} = '*')")
        _postgresql(whenever)
        return
    _fill(whenever)
    _sqlite(whenever)


def _fill(whenever: str) -> None:
    for kind in ("post", "jobs"):
        op.execute(f"INSERT INTO agenda (firm_id, kind, at) SELECT id, '{kind}', '{whenever}' FROM firms")


def _sqlite(whenever: str) -> None:
    both = (
        f"INSERT INTO agenda (firm_id, kind, at) VALUES (NEW.id, 'post', '{whenever}'), (NEW.id, 'jobs', '{whenever}')"
    )
    op.execute(f"CREATE TRIGGER agenda_begun AFTER INSERT ON firms BEGIN {both}; END")
    now = f"UPDATE agenda SET at = '{whenever}' WHERE at > '{whenever}' AND kind"
    op.execute(
        "CREATE TRIGGER agenda_settings AFTER UPDATE OF document ON firms "
        f"BEGIN {now} = 'jobs' AND firm_id = NEW.id; END"
    )
    for name, event, table, when, kind in CAUSES:
        op.execute(
            f"CREATE TRIGGER agenda_{name} AFTER {event} ON {table} {f'WHEN {when}' if when else ''} "
            f"BEGIN {now} = '{kind}' AND firm_id = NEW.firm_id; END"
        )


def _postgresql(whenever: str) -> None:
    op.execute(
        "CREATE FUNCTION agenda_begin() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"INSERT INTO agenda (firm_id, kind, at) VALUES (NEW.id, 'post', '{whenever}'), (NEW.id, 'jobs', '{whenever}'); "
        "RETURN NULL; END $$"
    )
    # The row is locked even where it stays as it is: whoever takes it waits for this transaction, and then sees what it wrote.
    for name, id in (("agenda_now", "NEW.firm_id"), ("agenda_now_of_firm", "NEW.id")):
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"PERFORM 1 FROM agenda WHERE firm_id = {id} AND kind = TG_ARGV[0] FOR NO KEY UPDATE; "
            f"UPDATE agenda SET at = '{whenever}' "
            f"WHERE firm_id = {id} AND kind = TG_ARGV[0] AND at > '{whenever}'; "
            "RETURN NULL; END $$"
        )
    op.execute("CREATE TRIGGER agenda_begun AFTER INSERT ON firms FOR EACH ROW EXECUTE FUNCTION agenda_begin()")
    op.execute(
        "CREATE TRIGGER agenda_settings AFTER UPDATE OF document ON firms "
        "FOR EACH ROW EXECUTE FUNCTION agenda_now_of_firm('jobs')"
    )
    for name, event, table, when, kind in CAUSES:
        op.execute(
            f"CREATE TRIGGER agenda_{name} AFTER {event} ON {table} FOR EACH ROW {f'WHEN ({when})' if when else ''} "
            f"EXECUTE FUNCTION agenda_now('{kind}')"
        )
