"""The report as one HTML page that needs nothing else: no font, script, image or network."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from api.report.source import ReportData
from api.report.story import tell


def write_html(report: ReportData, path: Path) -> None:
    """Write the page to ``path``, UTF-8."""
    path.write_text(html(report), encoding="utf-8", newline="\n")


def html(report: ReportData) -> str:
    """Render the page."""
    script = inline("report.js")
    return page_template().render(
        story=tell(report), style=Markup(inline("report.css")), script=Markup(script), policy=content_policy(script)
    )


def content_policy(script: str) -> str:
    """Return the page's own rule for browsers: load nothing, run this one script and no other."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def inline(name: str) -> str:
    """Return a file of this package that goes into the page as it is."""
    return files("api.report").joinpath(name).read_text(encoding="utf-8")


@cache
def page_template() -> Template:
    """Return the compiled template."""
    return environment().get_template("report.html.j2")


@cache
def environment() -> Environment:
    """Return what compiles templates; it escapes everything and stumbles over unknown names."""
    return Environment(
        loader=PackageLoader("api.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
