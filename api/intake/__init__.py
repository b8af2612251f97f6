"""Intake: files of a firm in any usual form to one checked `Firm`, with every refused row explained; and back to files."""

from api.intake.files import Intake, read_firm
from api.intake.mapping import Mapping, SheetMapping, read_mapping
from api.intake.rejects import IntakeError, Reject, SheetCount, write_rejects
from api.intake.template import write_template
from api.intake.values import DateOrder
from api.intake.writing import write_firm

__all__ = [
    "DateOrder",
    "Intake",
    "IntakeError",
    "Mapping",
    "Reject",
    "SheetCount",
    "SheetMapping",
    "read_firm",
    "read_mapping",
    "write_firm",
    "write_rejects",
    "write_template",
]
