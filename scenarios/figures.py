"""Every figure a synthetic firm is made from, with its source or marked as an assumption.

S is stated by a source, D is derived from sourced figures, A is an assumption. Surveys are of firms in the United States.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

PARTNER_SHARE = 0.15
"""D: partners as a share of professionals in small firms, 15 to 20 % (Rosenberg MAP survey; Esposito, CPA Trendlines 2018)."""
REST_SHARES = {"manager": 0.25, "senior": 0.30, "associate": 0.45}
"""A: how the others split; senior managers are counted with managers."""
TARGET_UTILISATION_PCT = {"associate": 80, "senior": 80, "manager": 77, "partner": 53}
"""S/D: 1,700 (best firms), 1,600 and 1,100 chargeable hours of 2,080 (Rosenberg survey; CPA Trendlines 2018)."""
BUSY_EXTRA_MIN = (120, 120, 120, 120, 120, 300, 0)
"""A: 55 hours a week from February to 15 April, six days (range of 50 to 80 stated by climbtheladder.com)."""
PARTNER_EXTRA_MIN = (60, 60, 60, 60, 60, 0, 0)
"""A: partners work five hours more."""
PART_TIME_SHARE = 0.10
"""A: people on three or four days a week; 93 % of 226 firms offer flexible schedules (insidepublicaccounting.com 2021, S)."""
TIME_OFF_SHARE = {"busy": 0.01, "quiet": 0.09}
"""A: share of working days off; leave is rare from February to 15 April, absence about 3 % a week (BLS 2003, S)."""
DOCUMENT_LAG_MEDIAN_DAYS, DOCUMENT_LAG_SIGMA = 35.0, 0.6
"""A: client documents arrive a log-normal lag before the due date."""
REVIEW_OF_PREPARATION = 0.40
"""S: average review time is about 40 % of preparation time (Mendlowitz, CPA Trendlines 2022)."""
CLIENTS_PER_PERSON = 12
"""S weak: 10 to 40 clients per bookkeeper, fewer where work is complex (climbtheladder.com)."""
BARRED_SHARE = 0.04
"""A: clients with somebody barred for independence."""
USUAL_SHARE = 0.75
"""A: clients who know one person."""
TIER_SHARES = {"low": 0.30, "standard": 0.55, "high": 0.15}
"""A: how clients split by value."""
PRIORITY_SHARES = {"low": 0.15, "normal": 0.65, "high": 0.17, "critical": 0.03}
"""A: how tasks split by priority."""
SKILL_SHARE = 0.8
"""A: chance that a person has a further skill of their own department."""
SECOND_DEPARTMENT_SHARE = 0.2
"""A: people who also know the main skill of a second department."""
EFFICIENCY_BY_LEVEL_PCT = {"associate": 115, "senior": 100, "manager": 92, "partner": 90}
"""A: median percent of the estimate each level needs."""
EFFICIENCY_SIGMA = 0.12
"""A: spread of individual speed (log-normal)."""

ESTIMATE_RATIO = 1.05
"""A: what the median task takes over its estimate; of published software tasks the median is 1.0 (erikbern.com 2019, S)."""
ESTIMATE_SIGMA, AUDIT_ESTIMATE_SIGMA = 0.25, 0.5
"""A: spread of a task around that (log-normal), of recurring work and of audits; audit budgets overrun more (Auditing 18(1), S)."""
ABSENT_WEEK_SHARE = 0.03
"""S: managers and professionals absent in a week (BLS 2003)."""
ABSENT_MEAN_DAYS = 2.0
"""A: working days that an illness lasts, geometric."""
LATE_DOCUMENT_SHARE, LATE_DOCUMENT_MEAN_DAYS = 0.2, 5.0
"""A: clients whose documents come later than expected, and by how many calendar days (exponential); 22 % of offices charge for it
(NSA survey 2016-17, S)."""


@dataclass(frozen=True)
class Work:
    """One kind of work: hours implied by published fees, where it belongs, and what it asks.

    ``hours`` is the median of a log-normal with ``sigma``; a firm's hours are scaled to the asked load, since published fees are of
    Main Street offices (a mid-size firm: 1.5 to 3 times, A).
    """

    name: str
    department: str
    hours: float
    sigma: float
    share: float
    min_level: str
    complexity: int
    due: tuple[tuple[int, int], ...] = ()


WORK = (
    Work("1040", "tax", 1.0, 0.5, 0.30, "associate", 1, ((4, 15), (10, 15))),
    Work("1040 Schedule A", "tax", 1.6, 0.5, 0.20, "associate", 2, ((4, 15), (10, 15))),
    Work("1040 Schedule C", "tax", 2.7, 0.5, 0.14, "associate", 2, ((4, 15), (10, 15))),
    Work("1065", "tax", 3.9, 0.6, 0.12, "senior", 3, ((3, 15), (9, 15))),
    Work("1120-S", "tax", 4.8, 0.6, 0.13, "senior", 3, ((3, 15), (9, 15))),
    Work("1120", "tax", 4.9, 0.6, 0.06, "senior", 3, ((4, 15), (10, 15))),
    Work("1041", "tax", 2.9, 0.6, 0.03, "senior", 4, ((4, 15), (9, 30))),
    Work("990", "tax", 4.3, 0.6, 0.02, "manager", 4, ((5, 15), (11, 15))),
    Work("bookkeeping", "accounting", 10.0, 0.5, 0.55, "associate", 1),
    Work("payroll", "accounting", 2.0, 0.5, 0.20, "associate", 1),
    Work("sales tax", "accounting", 1.0, 0.5, 0.15, "associate", 1),
    Work("advisory", "accounting", 8.0, 0.6, 0.10, "manager", 4),
    Work("audit", "audit", 65.0, 0.8, 0.60, "associate", 3),
    Work("401(k) audit", "audit", 59.0, 0.6, 0.30, "senior", 4),
    Work("compilation", "audit", 20.0, 0.6, 0.10, "associate", 2),
)
"""Hours: D from NSA fee survey 2016-17 over $168.54 a charge hour (INSIDE 2019); audits from legalclarity.org and 401kauditsolutions.com
fees; bookkeeping from finepoints.biz; payroll, sales tax, advisory, compilation, shares and levels A. Dates S (federal due dates)."""

DEPARTMENT_SHARES = {"tax": 0.55, "accounting": 0.27, "audit": 0.18}
"""A: people by department."""

START = {"busy": date(2027, 3, 1), "quiet": date(2027, 6, 7)}
"""A: Mondays from which each season is planned."""

FIRST_NAMES = (
    "Ada", "Ben", "Carla", "Dana", "Elif", "Farid", "Grace", "Hugo", "Ines", "Jamal", "Kira", "Liam", "Mona", "Noah", "Olga",
    "Priya", "Quinn", "Rosa", "Sami", "Tara", "Umar", "Vera", "Wei", "Ximena", "Yusuf", "Zoe", "Aaron", "Bianca", "Cem", "Daphne",
)  # fmt: skip
LAST_NAMES = (
    "Reyes", "Okafor", "Lindqvist", "Marsh", "Novak", "Castillo", "Huang", "Becker", "Rossi", "Ahmed", "Fischer", "Silva", "Kowalski",
    "Tanaka", "Murphy", "Haddad", "Petrov", "Jensen", "Moreau", "Adeyemi", "Carter", "Duarte", "Ellison", "Fontaine", "Garza",
)  # fmt: skip
BUSINESSES = (
    "Bakery", "Dental Care", "Plumbing", "Logistics", "Hardware", "Vineyards", "Robotics", "Design", "Clinic", "Farms", "Motors", "Foods",
    "Roofing", "Media", "Textiles", "Holdings",
)  # fmt: skip
