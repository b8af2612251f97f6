"""Additive effects in log space: a level per type, and what client, person and person-in-type add to it, robustly and shrunk.

The log of logged over expected minutes is ``type + client in type + person + person in type + noise``. Levels of types are free;
the three others are draws around zero whose variances are estimated with them, so that a few tasks move an effect little and an effect
nobody can tell from another one stays zero: empirical Bayes (Efron and Morris 1975; Robinson 1991, "That BLUP is a good thing"), solved
by Henderson's equations.

Robust: tasks are weighed by Huber's function until the effects have settled, with variances as assumed, and from there by one that
gives a gross error no weight at all and ordinary tasks their whole weight, as variances are estimated with them (the order is that of
MM-estimation, Yohai 1987; mixed models by bounded residuals: Koller 2016, J. of Statistical Software 75(6)). The scale of each
type is its median absolute deviation, corrected for the freedom the effects took, and drawn towards that of all types where tasks are few
(as in Smyth 2004). An unfinished task enters as what it is, at least so long (Tobin 1958). Variances carry a weak prior, so that
few groups neither lose their variance nor invent one (Chung et al. 2013).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import log_ndtr

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

PRIOR_SD = {"client": 0.15, "person": 0.12, "person_type": 0.08, "noise": 0.3}
"""Where variances are drawn to, in logs. Noise: the range for repeat compliance work is 0.25 to 0.5 (an assumption of ours: published are
software tasks only, about 1.0). People: the 0.12 of the generator of firms. The others are assumptions."""
PRIOR_WEIGHT = 4.0
"""How many groups (or, of the noise, tasks) the prior of a variance counts as."""
MODERATION = 8.0
"""How many tasks the scale of all types counts as beside a type's own."""
LEAST_SCALE = 0.1
"""Time is kept in tenths or quarters of an hour, and many log what was estimated: half of all residuals may be equal, and the rest would
count as gross errors."""
MOST_SCALE = 1.5
"""One task in three off by more than 4.5 times is not noise any more (software, the worst published, has about 1.0). Without an end,
a few unfinished tasks far above the only finished one make the scale grow with the level and the level with the scale, for ever."""
MAD_TO_SD, MAD_WORTH = 1.4826, 0.37
"""A median absolute deviation as a standard deviation of normal data, and its efficiency there (Rousseeuw and Croux 1993)."""
HUBER_AT, WHOLE_TO, NOTHING_FROM = 1.345, 2.5, 5.0
"""Standard deviations. Huber's keeps 95 % of the efficiency of least squares on normal data; whole weight up to 2.5 nearly all of it, and
the variances of effects as they are: weights that fall from zero on, such as Tukey's, made that of clients half as large."""
ROUNDS, SETTLED = 60, 5e-4
LEAST_PRECISION = 1e-3
"""Keeps the level of a type defined whose every task counts as a gross error: a ten thousandth of what a usual task tells."""
CHUNK = 2048


@dataclass(frozen=True)
class Design:
    """Who did what, as places; all arrays are ``(tasks,)``.

    Attributes
    ----------
    response
        Log of logged over expected minutes.
    finished
        Whether the response is known; else it is a lower bound. Each type has a finished task.
    type, client
        Places of the type, and of the client within the type.
    person, person_type
        Places of the person, and of the person within the type; -1 where several people shared the task.
    sizes
        Number of types, clients in types, people, people in types.
    """

    response: Floats
    finished: NDArray[np.bool_]
    type: Places
    client: Places
    person: Places
    person_type: Places
    sizes: tuple[int, int, int, int]

    @property
    def columns(self) -> int:
        """Number of effects but for those of clients, which are eliminated."""
        types, _, people, person_types = self.sizes
        return types + people + person_types

    def matrix(self) -> sp.csr_matrix:
        """Return ``(tasks, columns)``: which type, person and person in type each task has."""
        types, _, people, _ = self.sizes
        rows, has = np.arange(len(self.response)), self.person >= 0
        row = np.concatenate([rows, rows[has], rows[has]])
        column = np.concatenate([self.type, types + self.person[has], types + people + self.person_type[has]])
        return sp.csr_matrix((np.ones(len(row)), (row, column)), shape=(len(rows), self.columns))


@dataclass(frozen=True)
class Fit:
    """Effects and how well they are known.

    Attributes
    ----------
    effects
        ``(columns,)`` levels of types, then effects of people, then of people in types.
    clients
        ``(clients,)`` effects of clients in types.
    sd
        Standard deviations of the effects of clients, people and people in types, and of the noise of a usual type.
    noise_sd
        ``(types,)`` standard deviation of one task around its expectation.
    """

    effects: Floats
    clients: Floats
    sd: dict[str, float]
    noise_sd: Floats
    system: _System

    def variance(self, combinations: sp.csr_matrix, client: Places) -> Floats:
        """Return the posterior variance of sums of effects.

        Parameters
        ----------
        combinations
            ``(sums, columns)`` factors of the effects but for clients.
        client
            ``(sums,)`` place of the client effect in each sum; -1 for none.
        """
        return self.system.variance(combinations, client)


class _System:
    """Henderson's equations for given precisions, with the effects of clients eliminated."""

    def __init__(self, design: Design, matrix: sp.csr_matrix, precision: Floats, variances: dict[str, float]) -> None:
        types, clients, people, person_types = design.sizes
        own = np.concatenate(
            [
                np.zeros(types),
                np.full(people, 1 / variances["person"]),
                np.full(person_types, 1 / variances["person_type"]),
            ]
        )
        member = sp.csr_matrix((precision, (np.arange(len(precision)), design.client)), shape=(len(precision), clients))
        self.matrix, self.member, self.precision = matrix, member, precision
        self.diagonal = np.bincount(design.client, weights=precision, minlength=clients) + 1 / variances["client"]
        self.cross = (member.T @ matrix).tocsr()  # (clients, columns)
        self.share = sp.diags(1 / self.diagonal) @ self.cross
        whole = (matrix.T @ sp.diags(precision) @ matrix - self.cross.T @ self.share).toarray() + np.diag(own)
        self.inverse: Floats = cho_solve(cho_factor(whole, lower=True), np.eye(len(own)))

    def solve(self, response: Floats) -> tuple[Floats, Floats]:
        """Return the effects and those of clients for a response."""
        weighted = self.matrix.T @ (self.precision * response)
        client = self.member.T @ response
        effects: Floats = self.inverse @ (weighted - self.share.T @ client)
        clients: Floats = (client - self.cross @ effects) / self.diagonal
        return effects, clients

    def variance(self, combinations: sp.csr_matrix, client: Places) -> Floats:
        """Return the variances of sums of effects; see `Fit.variance`."""
        found = np.empty(len(client))
        for start in range(0, len(client), CHUNK):
            some = slice(start, start + CHUNK)
            place = client[some]
            picked = sp.csr_matrix(
                (np.ones((place >= 0).sum()), (np.flatnonzero(place >= 0), place[place >= 0])),
                shape=(len(place), len(self.diagonal)),
            )
            left = (combinations[some] - picked @ self.share).tocsr()
            own = np.where(place >= 0, 1 / self.diagonal[np.maximum(place, 0)], 0.0)
            found[some] = own + np.asarray(left.multiply(left @ self.inverse).sum(axis=1)).ravel()
        return found


class Weighing(NamedTuple):
    """Weight of some residuals, and the slope of weight times residual."""

    weight: Floats
    slope: Floats


def huber(z: Floats) -> Weighing:
    """Return Huber's weights: what lies far off pulls no more than what lies at the edge (Huber 1964)."""
    size = np.abs(z)
    return Weighing(HUBER_AT / np.maximum(size, HUBER_AT), (size <= HUBER_AT).astype(np.float64))


def redescending(z: Floats) -> Weighing:
    """Return the weights of a function that is the residual itself at first and nothing far off, as Hampel's (1974) but smooth."""
    size = np.abs(z)
    u = np.clip((size - WHOLE_TO) / (NOTHING_FROM - WHOLE_TO), 0.0, 1.0)
    weight = (1 - u**2) ** 2
    return Weighing(weight, weight - 4 * u * (1 - u**2) * size / (NOTHING_FROM - WHOLE_TO))


def fit(design: Design) -> Fit:
    """Return the effects of a design.

    The time grows with the cube of types + people + people in types; clients cost next to nothing.
    """
    matrix = design.matrix()
    types, clients, people, _ = design.sizes
    effects, client_effects = np.zeros(design.columns), np.zeros(clients)
    for k in range(types):
        effects[k] = np.median(design.response[(design.type == k) & design.finished])
    variances = {name: sd**2 for name, sd in PRIOR_SD.items()}
    leverage = np.zeros(len(design.response))
    all_clients = np.arange(clients)
    for weigh in (huber, redescending):
        for _ in range(ROUNDS):
            before = np.concatenate([effects, client_effects, np.log(list(variances.values()))])
            expected = matrix @ effects + client_effects[design.client]
            scale = _scale(design, design.response - expected, leverage)
            working, precision = _working(design, expected, scale, leverage, weigh)
            system = _System(design, matrix, precision, variances)
            effects, client_effects = system.solve(working)
            spread = np.diag(system.inverse)
            client_spread = system.variance(sp.csr_matrix((clients, design.columns)), all_clients)
            parts = {
                "client": (client_effects, client_spread),
                "person": (effects[types : types + people], spread[types : types + people]),
                "person_type": (effects[types + people :], spread[types + people :]),
            }
            if weigh is redescending:
                variances |= {name: _variance(name, *part, variances[name]) for name, part in parts.items()}
            variances["noise"] = float(np.median(scale) ** 2)
            leverage = np.minimum(precision * system.variance(matrix, design.client), 0.95)
            after = np.concatenate([effects, client_effects, np.log(list(variances.values()))])
            if np.abs(after - before).max() < SETTLED:
                break
    by_type = np.empty(types)
    by_type[design.type] = scale
    return Fit(effects, client_effects, {name: float(np.sqrt(one)) for name, one in variances.items()}, by_type, system)


def _variance(name: str, effects: Floats, spread: Floats, now: float) -> float:
    """Return the next variance of a group of effects: what they are, over as many as the tasks have decided (MacKay 1992)."""
    decided = max(len(effects) - float(spread.sum()) / now, 0.0)
    prior = PRIOR_WEIGHT * PRIOR_SD[name] ** 2
    return (prior + float((effects**2).sum())) / (PRIOR_WEIGHT + decided)


def _scale(design: Design, residual: Floats, leverage: Floats) -> Floats:
    """Return per task the robust scale of its type, ``(tasks,)``."""
    types = design.sizes[0]
    size = np.abs(residual) / np.sqrt(1 - leverage)
    done = design.finished
    count = MAD_WORTH * done.sum()
    prior = PRIOR_WEIGHT * PRIOR_SD["noise"] ** 2
    common = (prior + count * (MAD_TO_SD * np.median(size[done])) ** 2) / (PRIOR_WEIGHT + count)
    found = np.empty(types)
    for k in range(types):
        own = size[done & (design.type == k)]
        worth = MAD_WORTH * len(own)
        found[k] = (MODERATION * common + worth * (MAD_TO_SD * np.median(own)) ** 2) / (MODERATION + worth)
    scale: Floats = np.clip(np.sqrt(found), LEAST_SCALE, MOST_SCALE)[design.type]
    return scale


def _working(
    design: Design, expected: Floats, scale: Floats, leverage: Floats, weigh: Callable[[Floats], Weighing]
) -> tuple[Floats, Floats]:
    """Return the responses and precisions whose least squares are one step of the robust ones."""
    z = (design.response - expected) / (scale * np.sqrt(1 - leverage))
    weight, slope = weigh(z)
    done, still_open = design.finished, ~design.finished
    # What a task tells on average, from the residuals as they are: right with gross errors as without (Huber 1981)
    told = max(float(slope[done].mean()), 0.2) ** 2 / max(float(((weight * z)[done] ** 2).mean()), 0.01)
    working = design.response.copy()
    # Where every finished task counts as a gross error nothing is left to divide by
    precision = weight * min(told, 1.0) / max(float(weight[done].mean()), 0.2) / scale**2
    beyond = (design.response - expected)[still_open] / scale[still_open]
    hazard = np.exp(-(beyond**2) / 2 - np.log(2 * np.pi) / 2 - log_ndtr(-beyond))
    curvature = np.clip(hazard * (hazard - beyond), 1e-9, 1.0)
    pull = np.where(beyond > 0, weight[still_open], 1.0) * hazard / curvature
    working[still_open] = expected[still_open] + scale[still_open] * pull
    precision[still_open] = curvature / scale[still_open] ** 2
    return working, np.maximum(precision, LEAST_PRECISION)
