"""An answer: the DataFrame that a question gave, and where it came from.

What pandas makes of an answer (a filter, a sum, a sorted copy …) is a plain DataFrame without provenance, because the
SQL did not give those rows. An answer that was changed in place has lost its provenance, too.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["Answer", "provenance_of", "sql_of"]


class _Provenance(dict[Any, Any]):
    """`attrs` of an answer. pandas hands deep copies of `attrs` to what it derives: these are empty."""

    def __deepcopy__(self, memo: object) -> dict[Any, Any]:
        return {}


class Answer(pd.DataFrame):
    """Rows as a question gave them, values as objects, so that money stays Decimal. A DataFrame in every other respect.

    `attrs` holds the provenance: `sql`, `values` and `snapshot`, as far as there are such.
    """

    # Names of attributes that are no columns, as pandas asks of a subclass; the stubs do not know them.
    _internal_names = [*pd.DataFrame._internal_names, "_provenance", "_given"]  # type: ignore[attr-defined]  # noqa: RUF012
    _internal_names_set = set(_internal_names)  # noqa: RUF012

    def __init__(self, rows: Iterable[Sequence[Any]], columns: Iterable[str], **provenance: object) -> None:
        super().__init__(list(rows), columns=list(columns), dtype=object)  # type: ignore[call-arg]  # stubs have __new__
        self._provenance = _Provenance(provenance)
        self._given = self.copy(deep=False)  # shares the memory for as long as nothing is written into either

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    @property
    def attrs(self) -> dict[Any, Any]:
        """Where the rows came from."""
        return self._provenance

    @attrs.setter
    def attrs(self, value: Mapping[Any, Any]) -> None:
        self._provenance = _Provenance(value)

    @property
    def is_untouched(self) -> bool:
        """Whether the rows are still those that the question gave."""
        given = self._given
        if not (self.columns.equals(given.columns) and self.index.equals(given.index)):
            return False
        return self.size == 0 or np.may_share_memory(self.to_numpy(), given.to_numpy())

    def __reduce__(self) -> Any:  # noqa: ANN401  as pickle has it
        return pd.DataFrame(self).__reduce__()


def provenance_of(frame: pd.DataFrame) -> Mapping[str, Any]:
    """`sql`, `values` and `snapshot` of an untouched answer; empty for every other DataFrame."""
    return frame.attrs if isinstance(frame, Answer) and frame.is_untouched else {}


def sql_of(frame: pd.DataFrame) -> str:
    """The SQL that gave an answer, and below it a comment for each of its values; empty for other DataFrames."""
    provenance = provenance_of(frame)
    sql, values = provenance.get("sql"), provenance.get("values") or {}
    named = values.items() if isinstance(values, Mapping) else enumerate(values, start=1)
    shown = (f"\n-- ${name} = {'NULL' if value is None else value}" for name, value in named)
    return sql.strip() + "".join(shown) if sql else ""
