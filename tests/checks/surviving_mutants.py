"""Mutants of rules that nothing can notice: rule → the dropped condition, as `test_mutations.py` names it → why.

Only what no data can show belongs here. For anything else, add a case to the rule's own test; a condition that does
nothing for the reader either is deleted from its rule.
"""

ONE_STATE = (
    "the lines that carry one NRB are all on issued invoices, all on drafts or all on void ones (`test_linking.py`), "
    "and the state of the NRB says on which"
)
EQUIVALENT: dict[str, dict[str, str]] = {
    "line-amount-difference": {"k.state = 'issued' -> true": ONE_STATE},
    "nrb-billed-on-void": {"k.state = 'void' -> true": ONE_STATE},
    "nrb-billed-part": {"k.state = 'issued' -> true": ONE_STATE},
    "nrb-charged-twice": {"k.state = 'issued' -> true": ONE_STATE},
    "nrb-credited-back": {"k.state = 'issued' -> true": ONE_STATE},
    "nrb-cutoff": {
        "not coalesce(i.invoice_date, i.created_on) is null -> true": (
            "DuckDB sorts NULL last, and an invoice without a date is neither early nor late"
        ),
    },
    "nrb-hidden-text": {
        "regexp_matches(written, '[^ -~]') -> true": (
            "it saves time: a text of plain characters holds nothing odd, and looks like what it is"
        ),
    },
    "nrb-on-draft": {"k.state = 'draft' -> true": ONE_STATE},
    "nrb-other-job": {
        "e.kind = 'name' -> true": (
            "a line that holds an NRB's own reference is not looked at by amount (`51_open_line.sql`), "
            "and evidence by amount is never of another job"
        ),
    },
}
