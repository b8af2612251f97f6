from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from api.jobs.clockwork import look
from api.jobs.schedule import Due
from api.routes.examples import SCHEDULES
from tests.api.routes.asking import Api, Ask, problem


def of(api: Api, due: str) -> dict[str, Any]:
    found = api.ask("GET", "/schedules").json()["schedules"]
    return next(dict(one) for one in found if one["id"] == due)


def test_a_firm_is_solved_at_two_at_night_unless_it_says_otherwise(api: Api) -> None:
    usual = of(api, "night")
    assert usual["schedule"] == {"at": "02:00:00", "weekdays": [0, 1, 2, 3, 4, 5, 6], "enabled": True}
    assert (usual["last_day"], usual["next_at"]) == (None, "2027-03-02T07:00:00Z")
    assert of(api, "midweek")["next_at"] == "2027-03-03T17:00:00Z"
    kept = api.ask("PUT", "/schedules/night", {"at": "23:30:00", "weekdays": [4, 0]}, If_Match='"0"').json()
    assert kept == of(api, "night")
    assert (kept["schedule"]["weekdays"], kept["next_at"]) == ([0, 4], "2027-03-02T04:30:00Z")
    serving = api.app.state.serving
    now = datetime(2027, 3, 2, 4, 30, tzinfo=UTC)
    assert look(api.database, serving.turns, serving.jobs, now=now) == [("one", Due.NIGHT)]
    assert of(api, "night")["last_day"] == "2027-03-01"
    api.later(days=1)
    assert of(api, "night")["next_at"] == "2027-03-06T04:30:00Z"
    api.ask("PUT", "/schedules/night", {"at": "23:30:00", "enabled": False}, If_Match='"1"')
    assert (of(api, "night")["next_at"], of(api, "night")["last_day"]) == (None, "2027-03-01")
    foreign = api.send(Ask("GET", "/schedules", token=api.foreign))[0].json()["schedules"][0]
    assert foreign["schedule"] == usual["schedule"]


def test_a_schedule_is_changed_by_who_has_read_it(api: Api) -> None:
    read = api.ask("GET", "/schedules/midweek")
    assert (read.headers["etag"], read.json()) == ('"0"', of(api, "midweek"))
    problem(api.ask("PUT", "/schedules/midweek", {"at": "03:00:00"}), 428, "if_match_missing")
    changed = api.ask("PUT", "/schedules/midweek", {"at": "03:00:00"}, If_Match='"0"')
    assert (changed.status_code, changed.headers["etag"], changed.json()["version"]) == (200, '"1"', 1)
    document = problem(api.ask("PUT", "/schedules/midweek", {"at": "04:00:00"}, If_Match='"0"'), 412, "changed")
    assert (document["field"], document["nearest"]) == ("schedule.version", "1")
    serving = api.app.state.serving
    look(api.database, serving.turns, serving.jobs, now=api.at.replace(day=4))  # that it was done changes no version
    assert api.ask("GET", "/schedules/midweek").headers["etag"] == '"1"'
    assert of(api, "midweek")["last_day"] == "2027-03-04"


def test_every_example_of_a_schedule_is_kept(api: Api) -> None:
    document = api.ask("GET", "/openapi.json").json()
    content = document["paths"]["/api/v1/schedules/{due}"]["put"]["requestBody"]["content"]["application/json"]
    assert set(content["examples"]) == set(SCHEDULES)
    for example in content["examples"].values():
        found = api.ask("PUT", "/schedules/midweek", example["value"], If_Match="*")
        assert found.status_code == 200
        assert found.json()["schedule"]["at"] == example["value"]["at"]


@pytest.mark.parametrize(
    "path, body, code, field",
    [
        ("/schedules/nightly", {"at": "02:00:00"}, "enum", "due"),
        ("/schedules/night", {}, "missing", "at"),
        ("/schedules/night", {"at": "25:00:00"}, None, "at"),
        ("/schedules/night", {"at": "02:00:00", "weekdays": [7]}, None, "weekdays"),
        ("/schedules/night", {"at": "02:00:00", "weekdays": [0] * 8}, "too_long", "weekdays"),
    ],
)
def test_what_is_no_schedule_is_said(api: Api, path: str, body: dict[str, Any], code: str | None, field: str) -> None:
    found = api.ask("PUT", path, body, If_Match="*")
    assert problem(found, 422, code or found.json()["code"])["field"] == field
