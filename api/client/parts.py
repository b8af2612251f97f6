"""The client's methods about what a firm is: people, calendar, clients, task types, policy, metrics, files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Literal

from api.client.requests import Requests, in_path
from api.routes.firm_models import (
    Capacity,
    ChangeAnswer,
    ChangePage,
    ClientAnswer,
    ClientPage,
    Entry,
    EntryAnswer,
    EntryPage,
    FirmMade,
    FirmSettings,
    Imported,
    Leaving,
    MetricsAnswer,
    NewFirm,
    PastWeeks,
    PersonAnswer,
    PersonPage,
    PolicyAnswer,
    PolicyChange,
    PolicyChecked,
    PolicyPage,
    PolicyThenAnswer,
    SettingsAnswer,
    SettingsChange,
    SkillLevel,
    TaskTypeAnswer,
    TaskTypePage,
)
from api.routes.models import FirmAnswer
from api.routes.uploads import FORMS
from api.routes.user_models import ErasedAnswer, PersonData
from solver.firm import Client, Person, TaskType
from solver.policy import Policy


class Parts(Requests):
    """People, calendar, clients, task types, policy, metrics, files."""

    def firm(self) -> FirmAnswer:
        """Read the firm in figures."""
        return self._get(FirmAnswer, "/firm")

    def people(self, **wanted: Any) -> Iterator[PersonAnswer]:
        """Yield people in the order they came; ``wanted`` as the filters of the list."""
        return self._pages(PersonPage, "/people", lambda page: page.people, wanted)

    def person(self, id: str) -> PersonAnswer:
        """Read one person."""
        return self._get(PersonAnswer, f"/people/{in_path(id)}")

    def create_person(self, person: Person, *, key: str | None = None) -> PersonAnswer:
        """Let somebody be part of the firm."""
        return self._create(PersonAnswer, "/people", person, key)

    def replace_person(self, person: Person, *, version: int | None) -> PersonAnswer:
        """Say everything about a person anew."""
        return self._change(PersonAnswer, "PUT", f"/people/{in_path(person.id)}", person, version)

    def let_leave(self, id: str, last_day: date, *, version: int | None) -> PersonAnswer:
        """Say when somebody leaves."""
        return self._change(PersonAnswer, "POST", f"/people/{in_path(id)}/leave", Leaving(last_day=last_day), version)

    def remove_person(self, id: str, *, version: int | None) -> None:
        """Take out somebody who never worked here."""
        self._remove(f"/people/{in_path(id)}", version)

    def put_skill(self, person: str, skill: str, level: SkillLevel, *, version: int | None) -> PersonAnswer:
        """Say that a person may do tasks that ask for a skill, and how fast."""
        path = f"/people/{in_path(person)}/skills/{in_path(skill)}"
        return self._change(PersonAnswer, "PUT", path, level, version)

    def remove_skill(self, person: str, skill: str, *, version: int | None) -> PersonAnswer:
        """Say that a person may not do such tasks any more."""
        path = f"/people/{in_path(person)}/skills/{in_path(skill)}"
        return self._change(PersonAnswer, "DELETE", path, None, version)

    def person_data(self, id: str) -> PersonData:
        """Export all that is kept about a person."""
        return self._get(PersonData, f"/people/{in_path(id)}/data")

    def erase_person(self, id: str, *, version: int | None) -> ErasedAnswer:
        """Erase who a person is, for good."""
        return self._change(ErasedAnswer, "DELETE", f"/people/{in_path(id)}/data", None, version)

    def capacity(self, person: str, *, first_day: date | None = None, days: int = 28) -> Capacity:
        """Read how much of a person is free."""
        wanted = {"days": days, **({"first_day": first_day} if first_day else {})}
        return self._get(Capacity, f"/people/{in_path(person)}/capacity", wanted)

    def calendar(self, **wanted: Any) -> Iterator[EntryAnswer]:
        """Yield calendar entries in the order they came; ``wanted`` as the filters of the list."""
        return self._pages(EntryPage, "/calendar", lambda page: page.entries, wanted)

    def entry(self, id: str) -> EntryAnswer:
        """Read one calendar entry."""
        return self._get(EntryAnswer, f"/calendar/{in_path(id)}")

    def create_entry(self, entry: Entry, *, key: str | None = None) -> EntryAnswer:
        """Note time off, a booking or overtime."""
        return self._create(EntryAnswer, "/calendar", entry, key)

    def replace_entry(self, id: str, entry: Entry, *, version: int | None) -> EntryAnswer:
        """Say everything about a calendar entry anew."""
        return self._change(EntryAnswer, "PUT", f"/calendar/{in_path(id)}", entry, version)

    def remove_entry(self, id: str, *, version: int | None) -> None:
        """Take a calendar entry out."""
        self._remove(f"/calendar/{in_path(id)}", version)

    def restore_entry(self, id: str) -> EntryAnswer:
        """Put a calendar entry back that was removed."""
        return self._ask(EntryAnswer, "POST", f"/calendar/{in_path(id)}/restore")

    def clients(self, **wanted: Any) -> Iterator[ClientAnswer]:
        """Yield clients in the order they came; ``wanted`` as the filters of the list."""
        return self._pages(ClientPage, "/clients", lambda page: page.clients, wanted)

    def client(self, id: str) -> ClientAnswer:
        """Read one client."""
        return self._get(ClientAnswer, f"/clients/{in_path(id)}")

    def create_client(self, client: Client, *, key: str | None = None) -> ClientAnswer:
        """Take in a client."""
        return self._create(ClientAnswer, "/clients", client, key)

    def replace_client(self, client: Client, *, version: int | None) -> ClientAnswer:
        """Say everything about a client anew."""
        return self._change(ClientAnswer, "PUT", f"/clients/{in_path(client.id)}", client, version)

    def remove_client(self, id: str, *, version: int | None) -> None:
        """Take out a client without work."""
        self._remove(f"/clients/{in_path(id)}", version)

    def task_types(self, **wanted: Any) -> Iterator[TaskTypeAnswer]:
        """Yield task types in the order they came; ``wanted`` as the filters of the list."""
        return self._pages(TaskTypePage, "/task-types", lambda page: page.task_types, wanted)

    def task_type(self, id: str) -> TaskTypeAnswer:
        """Read one task type."""
        return self._get(TaskTypeAnswer, f"/task-types/{in_path(id)}")

    def create_task_type(self, task_type: TaskType, *, key: str | None = None) -> TaskTypeAnswer:
        """Describe a kind of work."""
        return self._create(TaskTypeAnswer, "/task-types", task_type, key)

    def replace_task_type(self, task_type: TaskType, *, version: int | None) -> TaskTypeAnswer:
        """Say everything about a kind of work anew."""
        return self._change(TaskTypeAnswer, "PUT", f"/task-types/{in_path(task_type.id)}", task_type, version)

    def remove_task_type(self, id: str, *, version: int | None) -> None:
        """Take out a task type that nothing has."""
        self._remove(f"/task-types/{in_path(id)}", version)

    def policy(self) -> PolicyAnswer:
        """Read the policy."""
        return self._get(PolicyAnswer, "/policy")

    def replace_policy(self, policy: Policy, *, reason: str, version: int | None) -> PolicyAnswer:
        """Say everything about the policy anew."""
        return self._change(PolicyAnswer, "PUT", "/policy", PolicyChange(policy=policy, reason=reason), version)

    def validate_policy(self, policy: Policy) -> PolicyChecked:
        """Learn whether the firm could have a policy, and what would differ."""
        return self._ask(PolicyChecked, "POST", "/policy/validate", policy, repeatable=True)

    def policies(self, **wanted: Any) -> Iterator[PolicyThenAnswer]:
        """Yield policies, newest first."""
        return self._pages(PolicyPage, "/policy/history", lambda page: page.policies, wanted)

    def settings(self) -> SettingsAnswer:
        """Read the settings of the firm."""
        return self._get(SettingsAnswer, "/firm/settings")

    def replace_settings(self, settings: FirmSettings, *, reason: str, version: int | None) -> SettingsAnswer:
        """Say everything about the settings anew."""
        body = SettingsChange(settings=settings, reason=reason)
        return self._change(SettingsAnswer, "PUT", "/firm/settings", body, version)

    def changes(self, **wanted: Any) -> Iterator[ChangeAnswer]:
        """Yield changes of the firm, newest first; ``wanted``: ``kind``, ``part``."""
        return self._pages(ChangePage, "/firm/history", lambda page: page.changes, wanted)

    def metrics(self) -> MetricsAnswer:
        """Read the four metrics."""
        return self._get(MetricsAnswer, "/metrics")

    def past_weeks(self, weeks: int = 13) -> PastWeeks:
        """Read weeks gone by."""
        return self._get(PastWeeks, "/metrics/weekly", {"weeks": weeks})

    def create_firm(self, firm: NewFirm, *, key: str | None = None) -> FirmMade:
        """Begin another firm."""
        return self._create(FirmMade, "/firms", firm, key)

    def import_files(self, content: bytes, form: Literal["json", "xlsx", "zip"], **how: Any) -> Imported:
        """Import a firm's files; ``how`` as the options of the import: ``mode``, ``on_rejects``, ``date_order``, ``dry_run``."""
        found = self._send("POST", "/firm/import", body=content, params=how, headers={"Content-Type": FORMS[form]})
        return self._read(Imported, found)

    def export_files(self, form: Literal["json", "xlsx", "zip"] = "zip") -> bytes:
        """Export the firm as a file that can be imported again."""
        return self._send("GET", "/firm/export", params={"form": form}, repeatable=True).content
