"""The command ``evenhand``: the options of all commands in one module, and which function of `api.commands` answers.

Exit codes: docs/command-line.md.

Libraries are imported by the command that needs them, so that one placement takes the time Python starts.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api import cli_service
from api.collecting import uncollected
from api.errors import CommandError, Exit, as_command_error
from api.intake.values import DateOrder
from api.opening import Source, open_firm
from api.options import (
    DATABASE_URL,
    AsJson,
    DatabaseUrl,
    FirmId,
    Folder,
    Gap,
    MappingFile,
    Now,
    Order,
    RejectsFile,
    Seconds,
    Seed,
    Work,
)
from api.outlook_options import risk, season
from api.replay_options import replay
from api.roles import Role
from api.what_if_options import what_if
from scenarios.firms import Season
from solver.firm import Priority
from solver.refusal import nearest_name

if TYPE_CHECKING:
    from api.solving import Budget


app = typer.Typer(
    help="Decides who in an accounting firm does which piece of work, by when, and says why.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


db = typer.Typer(help="The database of the service.", rich_markup_mode=None)
log = typer.Typer(help="The decision log of the service.", rich_markup_mode=None)
app.add_typer(db, name="db")
app.add_typer(log, name="log")
token = typer.Typer(help="Who may use the HTTP API of the service.", rich_markup_mode=None)
app.add_typer(token, name="token")
firm = typer.Typer(help="The firms of the service.", rich_markup_mode=None)
app.add_typer(firm, name="firm")

app.command(name="what-if")(what_if)
app.command()(risk)
app.command()(season)
app.command()(replay)

cli_service.add(app, db)

SECONDS = 30.0
EXPLAIN_SECONDS = 10.0
DEMO_SECONDS = 20.0


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the firm, the plan and the report.")] = Path("evenhand-demo"),
    seconds: Annotated[float, typer.Option(min=0, help="Wall-clock limit of the search.")] = DEMO_SECONDS,
    seed: Seed = 0,
    serve: Annotated[
        bool, typer.Option("--serve", help="Answer the HTTP API for the firm instead, until Ctrl-C; nothing is kept.")
    ] = False,
    as_json: AsJson = False,
) -> Exit:
    """Plan a made-up firm of 30 people and 600 open tasks, and write its report; or serve it."""
    if serve:
        from api.commands import showing

        return showing.show()
    from api.commands import planning
    from api.solving import Budget

    return planning.demo(out, Budget(seconds, None, None), seed=seed, as_json=as_json)


@app.command()
def check(
    folder: Folder,
    now: Now = None,
    date_order: Order = DateOrder.ISO,
    mapping: MappingFile = None,
    rejects: RejectsFile = None,
    as_json: AsJson = False,
) -> Exit:
    """Read a firm; say what was taken, what was not, and why."""
    from api.commands import reading

    opened = open_firm(Source(folder, now, date_order, mapping, rejects), keep_rejects=True)
    return reading.check(opened, as_json=as_json)


@app.command()
def solve(
    folder: Folder,
    out: Annotated[Path | None, typer.Option(help="Write the plan with its timetable as JSON.")] = None,
    report: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="Write a report: .html, .xlsx or a folder. Repeatable.")
    ] = None,
    now: Now = None,
    seconds: Seconds = None,
    work: Work = None,
    gap: Gap = None,
    seed: Seed = 0,
    date_order: Order = DateOrder.ISO,
    mapping: MappingFile = None,
    rejects: RejectsFile = None,
    as_json: AsJson = False,
) -> Exit:
    """Plan the whole backlog: who does what by when, proposals, escalations, and how good the plan is."""
    from api.commands import planning

    opened = open_firm(Source(folder, now, date_order, mapping, rejects), keep_rejects=True)
    budget = _budget(seconds, work, gap, default_s=SECONDS)
    return planning.solve(opened, budget, seed=seed, plan_to=out, reports=report or (), as_json=as_json)


@app.command()
def place(
    folder: Folder,
    type: Annotated[str, typer.Option(help="Id of the task type.")],
    client: Annotated[str, typer.Option(help="Id of the client.")],
    due: Annotated[str, typer.Option(help="Deadline, 2027-03-15 or 2027-03-15T17:00.")],
    hours: Annotated[float | None, typer.Option(min=0, help="Hours of work; none: not estimated yet.")] = None,
    release: Annotated[str | None, typer.Option(help="Earliest day of work.")] = None,
    priority: Annotated[Priority, typer.Option(help="How much it matters.")] = Priority.NORMAL,
    requested: Annotated[str | None, typer.Option(help="Id of the person the client asks for.")] = None,
    reviews: Annotated[str | None, typer.Option(help="Id of the task whose work this one reviews.")] = None,
    id: Annotated[str, typer.Option(help="Id of the new task.")] = "new task",
    now: Now = None,
    date_order: Order = DateOrder.ISO,
    mapping: MappingFile = None,
    as_json: AsJson = False,
) -> Exit:
    """Say who gets one new task by the routing rule, and why; no file is changed."""
    from api.arrival import arrival
    from api.commands import placing

    opened = open_firm(Source(folder, now, date_order, mapping, None), keep_rejects=False)
    task = arrival(
        opened.firm,
        {
            "id": id,
            "type": type,
            "client": client,
            "priority": priority,
            "requested_person": requested,
            "reviews": reviews,
        },
        due=due,
        release=release,
        hours=hours,
        date_order=date_order,
    )
    return placing.place(opened, task, as_json=as_json)


@app.command()
def why(
    folder: Folder,
    task: Annotated[str, typer.Argument(help="Id of the task.")],
    not_person: Annotated[str | None, typer.Option("--not", help="Why not this person: id or full name.")] = None,
    plan: Annotated[
        Path | None, typer.Option(help="A plan written by `solve --out`; else the firm is planned first.")
    ] = None,
    now: Now = None,
    seconds: Seconds = None,
    work: Work = None,
    gap: Gap = None,
    seed: Seed = 0,
    date_order: Order = DateOrder.ISO,
    mapping: MappingFile = None,
    as_json: AsJson = False,
) -> Exit:
    """Say why a task is with its person in the plan, or why not with another."""
    from api.commands import explaining

    opened = open_firm(Source(folder, now, date_order, mapping, None), keep_rejects=False)
    budget = _budget(seconds, work, gap, default_s=EXPLAIN_SECONDS)
    return explaining.explain(opened, task, not_person, plan_path=plan, budget=budget, seed=seed, as_json=as_json)


@app.command()
def template(
    out: Annotated[Path, typer.Option(help="The workbook to write.")] = Path("evenhand-template.xlsx"),
    force: Annotated[bool, typer.Option(help="Write over an existing file.")] = False,
    as_json: AsJson = False,
) -> Exit:
    """Write an empty, explained workbook to fill in."""
    from api.commands import making

    return making.template(out, force=force, as_json=as_json)


@app.command()
def generate(
    out: Annotated[Path, typer.Option(help="Folder, .xlsx or .json to write.")] = Path("evenhand-firm"),
    people: Annotated[int, typer.Option(min=1, max=100_000, help="Professionals.")] = 30,
    tasks: Annotated[int, typer.Option(min=0, max=3_000_000, help="Open tasks.")] = 600,
    season: Annotated[Season, typer.Option(help="Busy (March) or quiet (June).")] = Season.BUSY,
    load: Annotated[float, typer.Option(min=0.01, max=10, help="Work as a share of all capacity.")] = 0.9,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> Exit:
    """Write a synthetic firm made from published figures."""
    from api.commands import making

    return making.generate(out, people=people, tasks=tasks, season=season, seed=seed, load=load, as_json=as_json)


@app.command()
def schema(
    name: Annotated[
        str, typer.Argument(help="firm, policy, plan, decision, proposal, metrics, scenario or comparison.")
    ] = "firm",
    as_json: Annotated[bool, typer.Option("--json", help="Schemas are JSON in any case.")] = True,
) -> Exit:
    """Print the JSON Schema of a firm, a policy, a plan or an answer."""
    from api.commands import making

    return making.schema(name)


@db.command(name="migrate")
def db_migrate(database_url: DatabaseUrl = DATABASE_URL, as_json: AsJson = False) -> Exit:
    """Bring the schema up to date; a database that is not there yet is made."""
    from api.commands import storing

    return storing.migrate(database_url, as_json=as_json)


@db.command(name="check")
def db_check(database_url: DatabaseUrl = DATABASE_URL, as_json: AsJson = False) -> Exit:
    """Say whether the schema is what this version expects, and whether anything is damaged."""
    from api.commands import storing

    return storing.check(database_url, as_json=as_json)


@firm.command(name="create")
def firm_create(
    folder: Folder,
    id: Annotated[str, typer.Option(help="Id of the firm: letters, digits, dots, dashes, underscores.")],
    date_order: Order = DateOrder.ISO,
    mapping: MappingFile = None,
    rejects: RejectsFile = None,
    database_url: DatabaseUrl = DATABASE_URL,
    as_json: AsJson = False,
) -> Exit:
    """Begin a firm in the database of the service with what its files say."""
    from api.commands import storing

    opened = open_firm(Source(folder, None, date_order, mapping, rejects), keep_rejects=True)
    return storing.create(database_url, id, opened, as_json=as_json)


@log.command(name="verify")
def log_verify(
    firm: Annotated[str | None, typer.Option(help="Id of one firm; else all.")] = None,
    noted: Annotated[str | None, typer.Option(help="Head that an earlier verify printed: must still be there.")] = None,
    database_url: DatabaseUrl = DATABASE_URL,
    as_json: AsJson = False,
) -> Exit:
    """Walk the chain of decisions and say where it breaks."""
    from api.commands import storing

    return storing.verify_log(database_url, firm, noted, as_json=as_json)


@app.command()
def serve(
    database_url: DatabaseUrl = DATABASE_URL,
    host: Annotated[str | None, typer.Option(help="Address to listen on; else as set.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port to listen on; 0: any that is free; else as set.")
    ] = None,
    worker: Annotated[
        bool | None, typer.Option(help="Do jobs as well; if nothing is said, where the database is a file.")
    ] = None,
) -> Exit:
    """Answer the HTTP API; an embedded database is made or brought up to date first."""
    with uncollected():
        from api.commands import serving

    return serving.serve(database_url, host, port, worker=worker)


@app.command()
def worker(database_url: DatabaseUrl = DATABASE_URL) -> Exit:
    """Do the jobs that wait: solves, of all firms. Any number of workers share one PostgreSQL database."""
    with uncollected():
        from api.commands import serving

    return serving.work(database_url)


@token.command(name="create")
def token_create(
    firm: FirmId,
    role: Annotated[Role, typer.Option(help="What it may be used for.")],
    person: Annotated[str | None, typer.Option(help="With the role staff: id of whom it acts for.")] = None,
    team: Annotated[str | None, typer.Option(help="With the role manager: the team; else everybody.")] = None,
    days: Annotated[int, typer.Option(help="How long it is good for.")] = 90,
    database_url: DatabaseUrl = DATABASE_URL,
    as_json: AsJson = False,
) -> Exit:
    """Make a token and print it; it can be read this once."""
    from api.commands import serving

    return serving.create(database_url, firm, role, person, team, days, as_json=as_json)


@token.command(name="list")
def token_list(firm: FirmId, database_url: DatabaseUrl = DATABASE_URL, as_json: AsJson = False) -> Exit:
    """List the tokens of a firm: role, person, expiry, last use."""
    from api.commands import serving

    return serving.listed(database_url, firm, as_json=as_json)


@token.command(name="revoke")
def token_revoke(
    firm: FirmId,
    id: Annotated[str, typer.Argument(help="Id of the token, as `token list` prints it.")],
    database_url: DatabaseUrl = DATABASE_URL,
    as_json: AsJson = False,
) -> Exit:
    """Let a token open nothing from now on."""
    from api.commands import serving

    return serving.revoke(database_url, firm, id, as_json=as_json)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"evenhand {version('evenhand')}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options every command shares."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command and leave with its exit code; every error is one message, as JSON where ``--json`` was said."""
    said = sys.argv[1:] if arguments is None else arguments
    sys.exit(run(said))


def run(arguments: list[str]) -> int:
    """Run the command with ``arguments`` and return its exit code."""
    try:
        return int(app(args=arguments or ["--help"], prog_name="evenhand", standalone_mode=False) or Exit.DONE)
    except typer.TyperException as error:
        return _fail(_usage(error.format_message(), arguments), as_json="--json" in arguments)
    except typer.Abort:
        return Exit.CANCELLED
    except BrokenPipeError:
        sys.stdout = None  # the reader has gone; nothing is flushed to it at exit
        return Exit.DONE
    except Exception as error:
        known = as_command_error(error)
        if known is None:
            place = error.__traceback__
            while place is not None and place.tb_next is not None:
                place = place.tb_next
            where = f" ({Path(place.tb_frame.f_code.co_filename).name}, line {place.tb_lineno})" if place else ""
            message = f"a defect of Evenhand: {type(error).__name__}: {error}{where}. Nothing of yours was changed."
            known = CommandError("defect", message, exit_code=Exit.DEFECT)
        return _fail(known, as_json="--json" in arguments)


def _usage(message: str, arguments: list[str]) -> CommandError:
    known = [str(one.name or one.callback.__name__) for one in app.registered_commands if one.callback]
    known = sorted([*known, *(str(one.name) for one in app.registered_groups)])
    said = next((word for word in arguments if not word.startswith("-")), "")
    if said in known:
        hint = f"Maybe see `evenhand {said} --help`."
        return CommandError("usage", f"{message} {hint}", exit_code=Exit.USAGE, hint=hint)
    near = nearest_name(said, known)
    return CommandError("usage", f'{message} Nearest: "{near}".', exit_code=Exit.USAGE, value=said, nearest=near)


def _fail(error: CommandError, *, as_json: bool) -> int:
    if as_json:
        sys.stdout.write(json.dumps(error.document(), ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stderr.write(f"evenhand: {error.message}\n")
    return int(error.exit_code)


def _budget(seconds: float | None, work: float | None, gap: float | None, *, default_s: float) -> Budget:
    from api.solving import Budget

    return Budget.asked(seconds, work, gap, default_s=default_s)
