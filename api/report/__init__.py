"""The report: one HTML page, one workbook and a folder of CSV files that show the same plan."""

from api.report.csv_files import write_csvs
from api.report.page import write_html
from api.report.source import ReportData
from api.report.workbook import write_workbook

__all__ = ["ReportData", "write_csvs", "write_html", "write_workbook"]
