"""A small firm as CSV files, for tests of the intake and the command line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

GOOD: Mapping[str, str] = {
    "people": "id,name,level,start_date\nann,Ann Bell,senior,2020-01-06\nbob,Bob Cole,associate,\n",
    "skills": "person,skill,efficiency_pct\nann,tax,90\nbob,tax,100\n",
    "clients": "id,name,tier,usual_person,barred\nacme,Acme,high,ann,\nzeta,Zeta,standard,,bob\n",
    "task_types": "id,skill,default_estimate_min,complexity\nreturn,tax,240,2\n",
    "tasks": (
        "id,type,client,deadline,estimate_min,assignee\n"
        "t1,return,acme,2027-03-15,240,ann\nt2,return,zeta,2027-03-16,120,\nt3,return,acme,2027-03-17,60,bob\n"
    ),
    "time_off": "person,first_day,last_day,minutes_per_day\nann,2027-03-08,2027-03-09,\n",
    "bookings": "person,first_day,last_day,minutes_per_day\nbob,2027-03-01,2027-03-31,30\n",
    "overtime": "first_day,last_day,sat_min,people\n2027-03-01,2027-04-15,240,ann; bob\n",
    "time_entries": "task,person,day,minutes\nt1,ann,2027-03-01,45\n",
    "assignments": "task,person,pinned\nt2,ann,yes\n",
    "settings": "key,value\ntime_zone,Europe/Berlin\npolicy.weights.move,90\n",
    "levels": "name,target_utilisation_pct\nassociate,80\nsenior,75\n",
}
"""A small firm as CSV files; every sheet, every row good."""


def good_rows(sheet: str) -> list[dict[str, str]]:
    """Return the rows of one sheet of `GOOD`."""
    return list(csv.DictReader(io.StringIO(GOOD[sheet])))


def csv_text(rows: Iterable[Mapping[str, str]]) -> str:
    """Return rows as CSV; the columns are all that any row has."""
    body = list(rows)
    columns = list(dict.fromkeys(name for row in body for name in row))
    written = io.StringIO()
    writer = csv.DictWriter(written, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(body)
    return written.getvalue()


def write_folder(target: Path, **replaced: str | bytes | None) -> Path:
    """Write the good files into ``target``, with the named sheets replaced (``None`` leaves a sheet out)."""
    target.mkdir(exist_ok=True)
    for name, content in {**GOOD, **replaced}.items():
        if content is not None:
            plain = content if isinstance(content, bytes) else content.encode()
            (target / f"{name}.csv").write_bytes(plain)
    return target
