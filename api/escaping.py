"""Text that a spreadsheet would run as a formula, made harmless when written and restored when read (CWE-1236)."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def escaped(text: str) -> str:
    """Return the text behind an apostrophe where a spreadsheet would run it; `restored` is the inverse."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA_STARTS) else text


def restored(text: str) -> str:
    """Return the text without the apostrophe that `escaped` set."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(FORMULA_STARTS) else text
