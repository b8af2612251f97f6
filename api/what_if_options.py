"""The options of ``evenhand what-if``; what it does is in `api.commands.comparing`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.errors import Exit
from api.intake.values import DateOrder
from api.opening import Source, open_firm
from api.options import AsJson, Folder, MappingFile, Now, Order, Seed, Work

WHAT_IF_SECONDS = 10.0

Many = list[str] | None
Day = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help="First day of what is said; last day of --leaves.")
]
LastDay = Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day of what is said.")]


def what_if(
    folder: Folder,
    away: Annotated[Many, typer.Option(metavar="PERSON", help="Is away --from --to.")] = None,
    leaves: Annotated[Many, typer.Option(metavar="PERSON", help="Leaves; the last day is --from.")] = None,
    hire: Annotated[str | None, typer.Option(metavar="LEVEL", help="One more person of this level.")] = None,
    like: Annotated[str | None, typer.Option(metavar="PERSON", help="Whose skills, week and team a hire has.")] = None,
    part_time: Annotated[Many, typer.Option(metavar="PERSON=PCT", help="Works so many percent of the hours.")] = None,
    overtime: Annotated[
        float | None, typer.Option(min=0, metavar="HOURS", help="Hours a week more, --from --to.")
    ] = None,
    who: Annotated[
        Many, typer.Option("--for", metavar="NAME", help="Person, team or level that overtime is for.")
    ] = None,
    skill: Annotated[Many, typer.Option(metavar="PERSON=SKILL[:PCT]", help="Learns a skill, or gets faster.")] = None,
    team: Annotated[Many, typer.Option(metavar="PERSON=TEAM", help="Moves to a team.")] = None,
    lose: Annotated[Many, typer.Option(metavar="CLIENT", help="The client goes.")] = None,
    documents_late: Annotated[
        Many, typer.Option(metavar="WHAT=DAYS", help="Documents of a client or type come later.")
    ] = None,
    deadline: Annotated[Many, typer.Option(metavar="WHAT=DAYS|DAY", help="The deadline moves.")] = None,
    extend: Annotated[Many, typer.Option(metavar="WHAT", help="An extension is filed.")] = None,
    estimates: Annotated[
        Many, typer.Option(metavar="[WHAT=]PCT", help="Work takes so many percent of the estimate.")
    ] = None,
    drop: Annotated[Many, typer.Option(metavar="TASK", help="The task is not done.")] = None,
    priority: Annotated[Many, typer.Option(metavar="WHAT=PRIORITY", help="It matters more or less.")] = None,
    closed: Annotated[Many, typer.Option(metavar="DAY", help="The firm is closed.")] = None,
    policy: Annotated[
        Many, typer.Option(metavar="NAME=VALUE", help="A setting of the policy, weights.move=120.")
    ] = None,
    change: Annotated[Many, typer.Option(metavar="JSON", help="Any other change, see docs/what-if.md.")] = None,
    first: Day = None,
    last: LastDay = None,
    scenario: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Scenario in TOML or JSON; its changes come first.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What the scenario is called.")] = None,
    sweep: Annotated[
        Many,
        typer.Option(metavar="NAME=VALUES", help="overtime=0..10, hires=0..5, weights.move=0,60,600; twice: a grid."),
    ] = None,
    points: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keeps the points of a sweep; known ones are not solved again.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Today's plan, written by `solve --out`; else it is made first.")
    ] = None,
    save: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the scenario as JSON.")] = None,
    report: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="Write the comparison: .html or .xlsx. Repeatable.")
    ] = None,
    now: Now = None,
    seconds: Annotated[
        float | None,
        typer.Option(min=0, help="Wall-clock limit once today's plan is there; 10 unless --work is given."),
    ] = None,
    work: Work = None,
    rounds: Annotated[int, typer.Option(min=0, max=20, help="How often an undecided difference is solved on.")] = 2,
    seed: Seed = 0,
    date_order: Order = DateOrder.ISO,
    mapping: MappingFile = None,
    as_json: AsJson = False,
) -> Exit:
    """Compare the firm as it is with the firm as it would be; no file of the firm is changed."""
    from api.commands import comparing
    from api.scenario_words import Said

    opened = open_firm(Source(folder, now, date_order, mapping, None), keep_rejects=False)
    said = Said(
        first=first,
        last=last,
        away=away or (),
        leaves=leaves or (),
        hires=hire,
        like=like,
        part_time=part_time or (),
        overtime=overtime,
        who=who or (),
        skills=skill or (),
        teams=team or (),
        lost=lose or (),
        documents=documents_late or (),
        deadlines=deadline or (),
        extensions=extend or (),
        estimates=estimates or (),
        drop=drop or (),
        priorities=priority or (),
        closed=closed or (),
        policy=policy or (),
        changes=change or (),
        sweeps=sweep or (),
        file=scenario,
        name=name,
        order=date_order,
    )
    effort = comparing.Effort(WHAT_IF_SECONDS if seconds is None and work is None else seconds, work, seed, rounds)
    files = comparing.Files(plan, save, points, tuple(report or ()))
    return comparing.what_if(opened, said, effort, files, as_json=as_json)
