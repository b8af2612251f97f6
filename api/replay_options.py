"""The options of ``evenhand replay``; what it does is in `api.commands.replaying`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.errors import Exit
from api.options import DATABASE_URL, AsJson, DatabaseUrl, FirmId, Seed
from scenarios.approvals import Approvals
from solver.plan import RoutingPolicy

Many = list[str] | None
NIGHT_UNITS = 0.1


def replay(
    firm: FirmId,
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="First day of the period, local to the firm.")],
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="Last day of the period.")],
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The other policy: JSON or TOML, as `evenhand schema policy` has it."),
    ] = None,
    guardrail: Annotated[
        Many, typer.Option(metavar="NAME=VALUE", help="A setting of the guardrail, complex_level=senior. Repeatable.")
    ] = None,
    setting: Annotated[
        Many,
        typer.Option("--set", metavar="NAME=VALUE", help="Any setting of the policy, weights.move=120. Repeatable."),
    ] = None,
    routing: Annotated[
        RoutingPolicy | None, typer.Option(help="By the rule, or by the prices of the last batch; else as recorded.")
    ] = None,
    nights: Annotated[
        str | None,
        typer.Option(metavar="DAYS", help="When the batch runs: every, never, or mon,wed,fri; else as recorded."),
    ] = None,
    freeze_days: Annotated[
        int | None, typer.Option(min=0, max=365, help="Work due within so many days of a batch is not moved by it.")
    ] = None,
    approvals: Annotated[
        Approvals, typer.Option(help="Which proposals managers approve under the other policy.")
    ] = Approvals.AS_THEY_DID,
    work: Annotated[
        float, typer.Option(min=0.0001, help="Deterministic work units of each batch that is planned anew.")
    ] = NIGHT_UNITS,
    seed: Seed = 0,
    report: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="Write a report: .html or .xlsx. Repeatable.")
    ] = None,
    database_url: DatabaseUrl = DATABASE_URL,
    as_json: AsJson = False,
) -> Exit:
    """Play a past period again under another policy: the four metrics as they would have been, beside those of the policy in force."""
    from api.commands import replaying

    asked = replaying.Asked(
        first=first,
        last=last,
        policy=policy,
        guardrail=tuple(guardrail or ()),
        settings=tuple(setting or ()),
        routing=routing,
        nights=nights,
        freeze_days=freeze_days,
        approvals=approvals,
        units=work,
        seed=seed,
        reports=tuple(report or ()),
    )
    return replaying.replay(database_url, firm, asked, as_json=as_json)
