"""The aging bands, the same wherever something is aged: in rules, charts, `audit.analyze.age` and the workpaper.

In SQL they are the macro `age_band(days)` (`warehouse/macros.sql`); a test holds the two equal.
"""

__all__ = ["BANDS", "ENDS", "FUTURE", "NO_DATE", "band_labels"]

ENDS = (30, 60, 90, 180)  # the last day of each band but the last
FUTURE, NO_DATE = "future", "no date"


def band_labels(ends: tuple[int, ...] = ENDS) -> tuple[str, ...]:
    """The label of each band of days, given the last day of all but the last: `0-30`, `31-60` … `over 180`."""
    starts = (0, *(end + 1 for end in ends))
    return (*(f"{start}-{end}" for start, end in zip(starts, ends, strict=False)), f"over {ends[-1]}")


BANDS = (FUTURE, *band_labels(), NO_DATE)
