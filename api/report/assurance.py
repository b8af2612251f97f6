"""The plan's certificate in plain words, and the price list behind it with the reason for each price."""

from __future__ import annotations

import re
from dataclasses import dataclass

from api.report.source import ReportData
from solver.firm import Skill
from solver.plan import Certificate, SolveStatus
from solver.policy import Weights


@dataclass(frozen=True)
class Reason:
    """A weight's price and what it is for."""

    price: str
    why: str


@dataclass(frozen=True)
class TermView:
    """One part of the objective, today and with the plan, in minutes of comfort."""

    name: str
    title: str
    today_min: int
    plan_min: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Assurance:
    """What is known about the plan."""

    title: str
    known: bool
    sentences: tuple[str, ...]
    scarce: tuple[str, ...]
    terms: tuple[TermView, ...]
    today_total_min: int
    plan_total_min: int
    unavoidable_min: int
    facts: tuple[tuple[str, str], ...]


def assurance(report: ReportData) -> Assurance:
    """Put the certificate into words."""
    certificate = report.plan.certificate
    terms = term_views(report)
    return Assurance(
        title=title(certificate),
        known=has_bound(certificate),
        sentences=sentences(certificate),
        scarce=tuple(one.sentence for one in certificate.scarcity),
        terms=terms,
        today_total_min=sum(term.today_min for term in terms),
        plan_total_min=sum(term.plan_min for term in terms),
        unavoidable_min=certificate.unavoidable_min,
        facts=facts(certificate),
    )


def title(certificate: Certificate) -> str:
    """Return the verdict in a few words."""
    if certificate.status is SolveStatus.OPTIMAL:
        return "Proven: no better plan exists"
    if not has_bound(certificate):
        return "How far from the best is not known: the search ended before its first bound"
    return f"Within {certificate.gap_pct:.1f} % of the best plan there can be"


def sentences(certificate: Certificate) -> tuple[str, ...]:
    """Return what the certificate says: how good, how much better than the rule, what nobody can avoid."""
    said = [how_good(certificate), against_rule(certificate)]
    if certificate.unavoidable_min:
        said.append(
            f"A further {certificate.unavoidable_min:,} minutes stand outside this count because no plan can avoid "
            "them: tasks nobody may do, and lateness nobody can mend."
        )
    return tuple(one for one in said if one)


def has_bound(certificate: Certificate) -> bool:
    """Whether anything is known about how much better a plan could be."""
    return certificate.status is SolveStatus.OPTIMAL or certificate.bound_min > 0


def how_good(certificate: Certificate) -> str:
    """Return the certificate's own sentence; without a bound it would only say that nothing is known."""
    if has_bound(certificate):
        return certificate.sentence()
    return f"This plan costs {certificate.objective_min:,} minutes. Search ended: {certificate.stop_reason.value}."


def against_rule(certificate: Certificate) -> str:
    """Compare with giving out the same work one task after another."""
    rule, plan = certificate.rule_objective_min, certificate.objective_min
    alone = "Giving out the same work one task after another, by the routing rule,"
    if plan == rule:
        return f"{alone} comes out just as well." if rule else ""
    if plan > rule:
        return f"{alone} costs {rule:,} minutes, which is less: give the search more time."
    return f"{alone} costs {rule:,} minutes: planning it together costs {100 * (rule - plan) / rule:.0f} % less."


def term_views(report: ReportData) -> tuple[TermView, ...]:
    """Return the terms in the plan's order, then those that only today has."""
    plan, today = ({term.name: term.minutes for term in one.certificate.terms} for one in (report.plan, report.today))
    weights = report.firm.policy.weights
    return tuple(
        TermView(
            name, name.replace("_", " ").capitalize(), today.get(name, 0), plan.get(name, 0), reasons(name, weights)
        )
        for name in dict.fromkeys((*plan, *today))
    )


def reasons(term: str, weights: Weights) -> tuple[Reason, ...]:
    """Return price and reason of every weight that belongs to a term (``moves``: ``move`` and ``move_soon``)."""
    stem = term.removesuffix("s")
    prices = {field: price_text(field, weights) for field in type(weights).model_fields}
    if stem == "mismatch":
        return (Reason("As set per skill:", Skill.model_fields["mismatch_min"].description or ""),)
    return tuple(
        Reason(prices[field], named_prices(about.description or "", prices))
        for field, about in type(weights).model_fields.items()
        if field == stem or field.startswith(f"{stem}_")
    )


def price_text(field: str, weights: Weights) -> str:
    """Return a weight with its unit, which the end of its name tells."""
    worth = getattr(weights, field)
    units = {"_pct": "%", "_days": "days", "_ends": "week ends"}
    return f"{worth} {next((unit for end, unit in units.items() if field.endswith(end)), 'min')}"


def named_prices(description: str, prices: dict[str, str]) -> str:
    """Put the price where a description names another weight, so that it reads without the code."""
    return re.sub(r"\b[a-z]+(?:_[a-z]+)+\b", lambda name: prices.get(name.group(), name.group()), description)


def facts(certificate: Certificate) -> tuple[tuple[str, str], ...]:
    """Return the technical part, for whoever wants to reproduce the plan."""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(certificate.versions.items()))
    return (
        ("Status", certificate.status.value),
        ("Objective (minutes)", f"{certificate.objective_min:,}"),
        ("Lower bound (minutes)", f"{certificate.bound_min:,}"),
        ("Gap", f"{certificate.gap_pct:.2f} %"),
        ("Unavoidable (minutes)", f"{certificate.unavoidable_min:,}"),
        ("Routing rule (minutes)", f"{certificate.rule_objective_min:,}"),
        ("Search ended", certificate.stop_reason.value),
        ("Seed", str(certificate.seed)),
        ("Work units", f"{certificate.work_units:,.1f}"),
        ("Versions", versions or "not recorded"),
    )
