"""How far a caller's rights reach: a manager's end at their team. Asked in every turn, in the one place that all of its operations pass.

Work that nobody has is within everybody's reach, as is placing new work: the rule decides who gets it.
"""

from __future__ import annotations

from sqlalchemy import select

from api.store.ground import Ground, Stored
from api.store.refusals import OutOfReach
from api.store.tables import PersonRecord
from solver.firm import Person
from solver.policy import Frozen
from solver.refusal import Refusal


class Actor(str):
    """Who asks, by id; text like any other, that knows how far the rights behind it reach.

    Attributes
    ----------
    team
        Whose people and work may be changed; ``None``: the whole firm's.
    """

    team: str | None

    def __new__(cls, id: str, team: str | None = None) -> Actor:
        """Make one."""
        made = super().__new__(cls, id)
        made.team = team
        return made


class Reaching(Ground):
    """A turn's ground, on which everybody stays within their reach."""

    @property
    def team(self) -> str | None:
        """The team that whoever acts now is held to; ``None``: to none."""
        return getattr(self.draft.actor, "team", None)

    def require_reach(self, field: str, person: str | None) -> None:
        """Refuse a person of another team, and what that person has."""
        if self.team is None or person is None:
            return
        self.draft.write()
        asked = select(PersonRecord.team).where(PersonRecord.id == person)
        if self.session.scalars(asked).one_or_none() != self.team:
            raise _beyond(field, person, f"is not of the team {self.team}")

    def require_part_in_reach(self, model: Frozen, stored: Stored | None) -> None:
        """Refuse to change people of other teams, to take them in or give them away, and what the whole firm shares."""
        if self.team is None:
            return
        if isinstance(model, Person):
            if stored is not None:
                self.require_reach("person", model.id)
            if model.team != self.team:
                raise _beyond("team", model.team, f"is not the team {self.team}")
            return
        if stored is not None:
            before = type(model).model_validate_json(stored.document)
            self.require_reach("person", self._whose(before))
        self.require_reach("person", self._whose(model))

    def require_all_in_reach(self, field: str) -> None:
        """Refuse, to whoever is held to a team, what is the whole firm's."""
        if self.team is not None:
            raise _beyond(field, self.firm, f"is more than the team {self.team}")

    def _whose(self, model: Frozen) -> str:
        person = getattr(model, "person", None)
        if person is None:
            self.require_all_in_reach(type(model).__name__.lower())
        return str(person)


def _beyond(field: str, value: str, message: str) -> OutOfReach:
    hint = "Maybe ask its manager, operations or an owner."
    return OutOfReach(Refusal(code="forbidden_team", field=field, value=value, message=message, hint=hint))
