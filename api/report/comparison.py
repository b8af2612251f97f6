"""What a comparison report is made from, and the names in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from scenarios.difference import Comparison
from scenarios.run import Compared
from scenarios.sweeps import Swept
from solver.firm import Firm


@dataclass(frozen=True)
class SharedNames:
    """Names by id, of today's firm and of the scenario's, who may have joined it."""

    people: dict[str, str]
    clients: dict[str, str]
    kinds: dict[str, str]
    levels: dict[str, str]

    def person(self, id: str) -> str:
        """Return the name of a person."""
        return self.people[id]

    def client(self, id: str) -> str:
        """Return the name of a client."""
        return self.clients[id]

    def kind(self, id: str) -> str:
        """Return the name of a task type."""
        return self.kinds[id]


@dataclass(frozen=True)
class ComparisonData:
    """Everything a comparison report shows: a scenario beside today, or a sweep.

    Attributes
    ----------
    sentences
        The changes in words; of a sweep, its parameters with their values.
    notes
        Sentences about the input that readers must know.
    """

    firm: Firm
    now: datetime
    sentences: tuple[str, ...]
    compared: Compared | None
    swept: Swept | None
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What the scenario is called."""
        if self.compared is not None:
            return self.compared.scenario.name
        return self.swept.sweep.scenario.name if self.swept is not None else ""

    @property
    def comparison(self) -> Comparison | None:
        """The comparison, where the report is of one scenario."""
        return None if self.compared is None else self.compared.comparison

    def names(self) -> SharedNames:
        """Return the names of both firms."""
        firms = [self.firm] if self.compared is None else [self.compared.after, self.compared.before]
        return SharedNames(
            people={one.id: one.label for firm in firms for one in firm.people},
            clients={one.id: one.label for firm in firms for one in firm.clients},
            kinds={one.id: one.label for firm in firms for one in firm.task_types},
            levels={one.id: one.level for firm in firms for one in firm.people},
        )
