"""The firm's policy and settings: read, tried, changed with a reason, and what they were before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response

from api.routes.access import ChangingPolicy, Here, ReadingPolicy, actor
from api.routes.conditions import Expected, cursor, cursor_parts, etag
from api.routes.examples import POLICIES, POLICY_CHANGES, SETTINGS_CHANGES
from api.routes.firm_models import (
    FirmSettings,
    PolicyAnswer,
    PolicyChange,
    PolicyChecked,
    PolicyPage,
    PolicyThenAnswer,
    SettingsAnswer,
    SettingsChange,
)
from api.routes.problems import answers
from api.serving import Serving
from api.store.correcting import require_references
from api.store.part_listing import policies_before, settings_now
from api.store.refusals import changed
from api.store.tokens import Token
from api.store.turn import Turn
from solver.firm import Firm
from solver.policy import Policy

router = APIRouter()


@router.get("/policy", tags=["policy"], operation_id="getPolicy", summary="Read the policy", responses=answers())
def policy(caller: ReadingPolicy, here: Here, response: Response) -> PolicyAnswer:
    """Read what the firm guards and what it pays for; the ETag is what a change asks for."""
    with here.database.reading(caller.firm) as session:
        document, version = settings_now(session)
    response.headers["ETag"] = etag(version)
    return PolicyAnswer(policy=Policy.model_validate(document["policy"]), version=version)


@router.put(
    "/policy",
    tags=["policy"],
    operation_id="replacePolicy",
    summary="Change the policy",
    responses=answers(400, 412, 428),
)
def replace_policy(
    change: Annotated[PolicyChange, Body(openapi_examples=POLICY_CHANGES)],
    caller: ChangingPolicy,
    here: Here,
    expected: Expected,
    response: Response,
) -> PolicyAnswer:
    """Say everything about the policy anew; it holds from the next placement on, and the reason is logged."""
    version = _saved(here, caller, {"policy": change.policy.model_dump(mode="json")}, change.reason, expected)
    response.headers["ETag"] = etag(version)
    return PolicyAnswer(policy=change.policy, version=version)


@router.post(
    "/policy/validate",
    tags=["policy"],
    operation_id="validatePolicy",
    summary="Check a policy",
    responses=answers(400),
)
def validate(
    policy: Annotated[Policy, Body(openapi_examples=POLICIES)], caller: ReadingPolicy, here: Here
) -> PolicyChecked:
    """Say whether the firm could have a policy, and what would be different; nothing is stored."""
    with here.database.reading(caller.firm) as session:
        document, _ = settings_now(session)
    require_references(Firm.model_validate(document), policy)
    before, after = document["policy"], policy.model_dump(mode="json")
    return PolicyChecked(policy=policy, changed=tuple(_different("", before, after)))


@router.get(
    "/policy/history",
    tags=["policy"],
    operation_id="listPolicies",
    summary="List earlier policies",
    responses=answers(),
)
def policies(
    caller: ReadingPolicy,
    here: Here,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(alias="cursor", max_length=2_000)] = None,
) -> PolicyPage:
    """List what the policy was, newest first; to go back, send an earlier one."""
    parts = cursor_parts(before, int)
    with here.database.reading(caller.firm) as session:
        found = policies_before(session, parts[0] if parts else None, limit + 1)
    more = cursor(found[limit - 1].version) if len(found) > limit else None
    return PolicyPage(policies=tuple(PolicyThenAnswer(**one._asdict()) for one in found[:limit]), next=more)


@router.get(
    "/firm/settings", tags=["firm"], operation_id="getSettings", summary="Read the settings", responses=answers()
)
def settings(caller: ReadingPolicy, here: Here, response: Response) -> SettingsAnswer:
    """Read name, time zone, hours, levels and holidays; the ETag is what a change asks for."""
    with here.database.reading(caller.firm) as session:
        document, version = settings_now(session)
    response.headers["ETag"] = etag(version)
    fields = {name: document[name] for name in FirmSettings.model_fields}
    return SettingsAnswer(settings=FirmSettings.model_validate(fields), version=version)


@router.put(
    "/firm/settings",
    tags=["firm"],
    operation_id="replaceSettings",
    summary="Change the settings",
    responses=answers(400, 412, 428),
)
def replace_settings(
    change: Annotated[SettingsChange, Body(openapi_examples=SETTINGS_CHANGES)],
    caller: ChangingPolicy,
    here: Here,
    expected: Expected,
    response: Response,
) -> SettingsAnswer:
    """Say everything about the settings anew; the reason is logged."""
    version = _saved(here, caller, change.settings.model_dump(mode="json"), change.reason, expected)
    response.headers["ETag"] = etag(version)
    return SettingsAnswer(settings=change.settings, version=version)


def _saved(here: Serving, caller: Token, update: dict[str, Any], reason: str, expected: int | None) -> int:
    """Keep some settings from now on; return their version."""

    def act(turn: Turn) -> int:
        turn.draft.write()
        document, version = settings_now(turn.session)
        if expected is not None and expected != version:
            raise changed("settings.version", expected, version)
        firm = Firm.model_validate({**document, **update})
        turn.save_settings(firm, reason=reason)
        turn.compiled()
        return settings_now(turn.session)[1]

    return here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))


def _different(prefix: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name, value in after.items():
        if isinstance(value, dict):
            yield from _different(f"{prefix}{name}.", before.get(name, {}), value)
        elif before.get(name) != value:
            yield f"{prefix}{name}"
