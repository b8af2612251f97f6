"""The options of ``evenhand risk`` and ``evenhand season``; what they do is in `api.commands.foreseeing`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.errors import Exit
from api.intake.values import DateOrder
from api.opening import Source, open_firm
from api.options import AsJson, Folder, Gap, MappingFile, Now, Order, RejectsFile, Seconds, Seed, Work

SECONDS = 30.0


def risk(
    folder: Folder,
    plan: Annotated[
        Path | None, typer.Option(help="A plan written by `solve --out`; else the firm is planned first.")
    ] = None,
    draws: Annotated[int, typer.Option(min=20, max=100_000, help="How often the plan is carried out.")] = 400,
    arrivals: Annotated[float, typer.Option(min=0, max=100_000, help="New tasks still to come in a week.")] = 0.0,
    robust: Annotated[
        bool, typer.Option("--robust", help="Also make a plan with fewer late tasks, and compare.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="With --robust: write that plan as JSON.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write a page, .html.")] = None,
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
    """Say how a plan may turn out: estimates wrong, people ill, documents late; what is late how often, and who is the bottleneck."""
    from api.commands import foreseeing
    from api.solving import Budget

    opened = open_firm(Source(folder, now, date_order, mapping, rejects), keep_rejects=True)
    return foreseeing.risk(
        opened,
        Budget.asked(seconds, work, gap, default_s=SECONDS),
        plan_path=plan,
        draws=draws,
        arrivals_per_week=arrivals,
        with_robust=robust,
        robust_to=out,
        report_to=report,
        seed=seed,
        as_json=as_json,
    )


def season(
    folder: Folder,
    report: Annotated[Path | None, typer.Option(help="Write a page, .html.")] = None,
    days: Annotated[int, typer.Option(min=7, max=600, help="How far ahead.")] = 365,
    now: Now = None,
    date_order: Order = DateOrder.ISO,
    mapping: MappingFile = None,
    rejects: RejectsFile = None,
    as_json: AsJson = False,
) -> Exit:
    """Say when in the year ahead the firm runs out of whom, and the cheapest hires, overtime, extensions and refusals."""
    from api.commands import foreseeing

    opened = open_firm(Source(folder, now, date_order, mapping, rejects), keep_rejects=True)
    return foreseeing.year(opened, report_to=report, days=days, as_json=as_json)
