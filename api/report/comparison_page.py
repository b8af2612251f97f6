"""The comparison as one HTML page in the style of the report: no font, script, image or network."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Template
from markupsafe import Markup

from api.report.comparison import ComparisonData
from api.report.comparison_story import tell_comparison
from api.report.page import environment, inline

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""The page's own rule for browsers: load nothing, run nothing."""


def write_comparison_html(data: ComparisonData, path: Path) -> None:
    """Write the page to ``path``, UTF-8."""
    path.write_text(comparison_html(data), encoding="utf-8", newline="\n")


def comparison_html(data: ComparisonData) -> str:
    """Render the page."""
    style = Markup(inline("report.css") + inline("comparison.css"))
    return comparison_template().render(story=tell_comparison(data), style=style, policy=POLICY)


@cache
def comparison_template() -> Template:
    """Return the compiled template."""
    return environment().get_template("comparison.html.j2")
