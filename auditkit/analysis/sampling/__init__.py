"""Audit sampling: plan a sample, select it, evaluate it; exact against published tables.

>>> import auditkit as ak
>>> plan = ak.sampling.mus_size(15_000, 3_000, 0.95, book_value=300_000)
>>> sample = ak.sampling.select(frame, plan.n, seed=20261130)
>>> ak.sampling.evaluate(sample, audited, 0.95, "poisson-mus", tolerable=15_000).verdict

Each result is a frozen record that holds its inputs, its method by name, and the source of the method. Confidence is a
fraction (0.95), a rate too (0.05); money is Decimal. It needs the extra `sampling` (scipy).
"""

from auditkit.analysis.sampling.evaluation import Evaluation, Misstatement, StratumEvaluation, evaluate
from auditkit.analysis.sampling.sample import Draw, Hit, Sample, Selected, Stratum
from auditkit.analysis.sampling.selection import extend, select
from auditkit.analysis.sampling.sizes import (
    AttributeLimit,
    AttributeSize,
    MoneySize,
    attribute_size,
    attribute_upper_limit,
    confidence_factor,
    discovery_size,
    mus_size,
)

__all__ = [
    "AttributeLimit",
    "AttributeSize",
    "Draw",
    "Evaluation",
    "Hit",
    "Misstatement",
    "MoneySize",
    "Sample",
    "Selected",
    "Stratum",
    "StratumEvaluation",
    "attribute_size",
    "attribute_upper_limit",
    "confidence_factor",
    "discovery_size",
    "evaluate",
    "extend",
    "mus_size",
    "select",
]
