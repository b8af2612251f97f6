"""The reports: one HTML page, one workbook and a folder of CSV files that show the same plan; page and workbook of a comparison."""

from api.report.comparison import ComparisonData
from api.report.comparison_page import write_comparison_html
from api.report.comparison_sheets import write_comparison_workbook
from api.report.csv_files import write_csvs
from api.report.page import write_html
from api.report.source import ReportData
from api.report.workbook import write_workbook

__all__ = [
    "ComparisonData",
    "ReportData",
    "write_comparison_html",
    "write_comparison_workbook",
    "write_csvs",
    "write_html",
    "write_workbook",
]
