"""Scenarios that people keep and change; runs with their points, results and steps."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = ("scenarios", "runs", "run_points", "point_results", "run_events")


def upgrade() -> None:
    """Make the tables, and take over the scenarios that are there."""
    fenced = op.get_bind().dialect.name != "sqlite"
    found = _scenarios_of_before(fenced)
    op.drop_table("scenarios")
    _tables()
    _take_over(found)
    if not fenced:
        return
    mine = "current_setting('evenhand.firm', true)"
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY one_firm ON {table} USING (firm_id = {mine}) WITH CHECK (firm_id = {mine})")


def _scenarios_of_before(fenced: bool) -> list[sa.Row[tuple[object, ...]]]:
    if fenced:  # the owner sees no row of any firm else
        op.execute("ALTER TABLE scenarios NO FORCE ROW LEVEL SECURITY")
    names = ("firm_id", "id", "name", "version", "document")
    table = sa.table("scenarios", *(sa.column(name) for name in names), sa.column("at", sa.DateTime(timezone=True)))
    return list(op.get_bind().execute(sa.select(table).order_by(table.c.firm_id, table.c.at, table.c.id)).all())


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


def _number(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _to(table: str, column: str, there: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_firm_id_{column}"
    return sa.ForeignKeyConstraint(["firm_id", column], [f"{there}.firm_id", f"{there}.id"], name=name)


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_firm_id_{'_'.join(columns)}", table, ["firm_id", *columns])


def _tables() -> None:
    _table(
        "scenarios",
        _text("id"),
        *(_number(name) for name in ("number", "version")),
        *(_text(name) for name in ("name", "note", "changes")),
        _number("base_version"),
        _moment("created_at"),
        _text("created_by"),
        _moment("changed_at"),
        _text("changed_by"),
        key=("id",),
    )
    _index("scenarios", "number")
    _table(
        "runs",
        _text("id"),
        _number("number"),
        *(_text(name) for name in ("kind", "state")),
        _text("scenario", nullable=True),
        *(_text(name) for name in ("asked", "content_hash", "actor")),
        _moment("asked_at"),
        _moment("cancel_at", nullable=True),
        _number("version"),
        _moment("planned_at"),
        _text("last_plan", nullable=True),
        *(_moment(name, nullable=True) for name in ("started_at", "ended_at")),
        _number("stage"),
        _text("opener", nullable=True),
        *(_number(name) for name in ("points", "points_done", "points_known", "events")),
        *(_text(name, nullable=True) for name in ("result_key", "error")),
        _to("runs", "scenario", "scenarios"),
        key=("id",),
    )
    for columns in (("state", "number"), ("content_hash",), ("scenario",)):
        _index("runs", *columns)
    _table(
        "run_points",
        _text("run"),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        _number("stage"),
        *(_text(name) for name in ("does", "asked")),
        sa.Column("counted", sa.Boolean(), nullable=False),
        *(_text(name) for name in ("key", "state")),
        sa.Column("known", sa.Boolean(), nullable=False),
        _number("tries"),
        _text("owner", nullable=True),
        *(_moment(name, nullable=True) for name in ("begun_at", "ended_at")),
        _text("error", nullable=True),
        _to("run_points", "run", "runs"),
        key=("run", "number"),
    )
    _index("run_points", "run", "stage", "state")
    _index("run_points", "key")
    _table(
        "point_results",
        _text("key"),
        *(_text(name) for name in ("document", "digest")),
        _moment("at"),
        key=("key",),
    )
    _index("point_results", "at")
    _table(
        "run_events",
        _text("run"),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        _moment("at"),
        _text("document"),
        _to("run_events", "run", "runs"),
        key=("run", "number"),
    )


def _take_over(found: list[sa.Row[tuple[object, ...]]]) -> None:
    """Keep what is left of scenarios of before: name, moment, version of the firm, and their changes where they have any.

    What could not be read as changes is kept as a note. Results were written by no release, and are dropped.
    """
    columns = ("id", "number", "version", "name", "note", "changes", "base_version", "created_by", "changed_by")
    moments = [sa.column(name, sa.DateTime(timezone=True)) for name in ("created_at", "changed_at")]
    scenarios = sa.table("scenarios", sa.column("firm_id"), *(sa.column(name) for name in columns), *moments)
    numbers: dict[str, int] = {}
    for row in found:
        changes = _changes(row.document)
        numbers[row.firm_id] = numbers.get(row.firm_id, 0) + 1
        op.get_bind().execute(
            sa.insert(scenarios).values(
                firm_id=row.firm_id,
                id=row.id,
                number=numbers[row.firm_id],
                version=1,
                name=row.name,
                note=row.document if changes is None else "",
                changes=json.dumps(changes or [], ensure_ascii=False, separators=(",", ":")),
                base_version=row.version,
                created_at=row.at,
                created_by="migration",
                changed_at=row.at,
                changed_by="migration",
            )
        )


def _changes(document: str) -> list[object] | None:
    try:
        read = json.loads(document)
    except json.JSONDecodeError:
        return None
    changes = read.get("changes") if isinstance(read, dict) else None
    return changes if isinstance(changes, list) else None
