"""nrb-hidden-text: codes that are not what they look like."""

import unicodedata

import pytest

from tests.world import SILENT, Account, firing, nrb

RULE = "nrb-hidden-text"


def bought(guid, number="AP-1", **changes):
    return nrb(guid, **{"nrbInvoiceNumber": number, "nrbOriginReference": None, **changes})


UNSEEN = "holds characters that cannot be seen"
SPACE = "holds a special space"
MIXED = "mixes Latin with Cyrillic or Greek letters"
PLAIN = "holds look-alike letters or digits"
ALIKE = "looks like another one, but differs"
CASES = [
    (bought("plain"), SILENT),
    (bought("punctuation", "env_0000123/45 #7.9"), SILENT),
    # characters that cannot be seen, in whatever place
    (bought("zero-width-space", "AP\u200b-1"), UNSEEN),
    (bought("zero-width-joiner", "AP\u200d-1"), UNSEEN),
    (bought("byte-order-mark", "\ufeffAP-1"), UNSEEN),
    (bought("soft-hyphen", "AP\u00ad-1"), UNSEEN),
    (bought("right-to-left-override", "AP-\u202e21"), UNSEEN),
    (bought("isolate", "\u2066AP-1\u2069"), UNSEEN),
    (bought("tab", "AP\t1"), UNSEEN),
    (bought("filler", "AP\u31641"), UNSEEN),
    (bought("variation", "AP-1\ufe0f"), UNSEEN),
    (bought("no-break-space", "AP\u00a01"), SPACE),
    (bought("ideographic-space", "AP\u30001"), SPACE),
    # Latin among Cyrillic or Greek
    (bought("cyrillic-a", "\u0410P-1"), MIXED),
    (bought("greek-rho", "A\u03a1-1"), MIXED),
    (bought("russian-beside-latin", "СЧЁТ-1/A"), MIXED),
    # look-alike digits and letters
    (bought("full-width-digit", "AP-\uff11"), PLAIN),
    (bought("full-width-letter", "\uff21P-1"), PLAIN),
    (bought("arabic-digit", "AP-\u0661"), PLAIN),
    (bought("mathematical", "\U0001d400P-1"), PLAIN),
    # a text of one script is what it is, unless it looks like another one of the same vendor
    (bought("russian", "СЧЁТ-17"), SILENT),
    (bought("accents", "Ré-17"), SILENT),
    (bought("chinese", "发票17"), SILENT),
    (bought("plain-47", "47-HOP"), SILENT),
    (bought("cyrillic-47", "47-НОР"), ALIKE),
    (bought("cyrillic-47-of-another", "47-НОР", nrbVendorCode="OTHER"), SILENT),
    (bought("composed", "É-8"), SILENT),
    (bought("decomposed", "E\u0301-8"), ALIKE),
    # NULL
    (bought("no-number", None), SILENT),
    (bought("nothing", None, nrbVendorCode=None, nrbJobOrderNumber=None, nrbPONumber=None), SILENT),
]
# Two codes that look the same: the plain one is silent.
CODES = [
    (bought("code-plain", nrbVendorCode="TOP"), SILENT),
    (bought("code-in-cyrillic", nrbVendorCode="ТОР"), f"the vendor code {ALIKE}"),
    (bought("code-full-width", nrbVendorCode="ＴＯＰ"), f"the vendor code {PLAIN}"),
    (bought("job", nrbJobOrderNumber="JOB\u200b-1"), f"the job {UNSEEN}"),
    (bought("po", nrbPONumber="РО-13624"), f"the PO {ALIKE}"),
    (bought("external-id", nrbExternalId="NRB\u2009-1"), f"the external id {SPACE}"),
    (bought("origin", nrbOriginReference="R1\u200b-1"), f"the origin reference {UNSEEN}"),
    # of several fields the first is reported
    (bought("two-fields", "AP\u200b-1", nrbVendorCode="B\u0406T"), f"the vendor code {MIXED}"),
    (bought("parent", "AP\u200b-1", nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    (bought("child", nrbParentGuid="parent"), SILENT),
    # it may look like the code of a receipt, but not like one in another field
    (bought("receipt", nrbJobOrderNumber="HAM-1", nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    (bought("item", nrbParentGuid="receipt", nrbJobOrderNumber="НАМ-1"), f"the job {ALIKE}"),
    (bought("job-like-vendors", nrbJobOrderNumber="ТОР"), SILENT),
]
ACCOUNT = Account([body for body, _ in CASES + CODES])


def test_fires_on_exactly_these():
    numbers = {guid: f"the vendor invoice number {what}" for guid, what in firing(CASES).items()}
    found = ACCOUNT.findings(RULE)
    assert {guid: hit["reason"] for guid, hit in found.items()} == numbers | firing(CODES)
    assert set(ACCOUNT.risks(RULE).values()) == {"100.00"}


@pytest.mark.parametrize(
    ("guid", "marked", "looks_like"),
    [
        ("zero-width-space", "AP¿-1", "ap-1"),
        ("right-to-left-override", "AP-¿21", "ap-21"),
        ("cyrillic-a", "¿P-1", "ap-1"),
        ("full-width-digit", "AP-¿", "ap-1"),
        ("cyrillic-47", "47-¿¿¿", "47-hop"),
    ],
)
def test_evidence_shows_it_in_plain_letters(guid, marked, looks_like):
    hit = ACCOUNT.findings(RULE)[guid]
    assert (hit["evidence"]["marked"], hit["evidence"]["looks_like"]) == (marked, looks_like)
    assert hit["key"] == {"field": "vendor invoice number", "marked": marked}


def test_look_alikes_are_those_of_nfkc():
    """Every character that NFKC maps to one ASCII letter or digit, in the blocks of those."""
    blocks = (range(0xFF01, 0xFF5F), range(0x1D400, 0x1D6A4), range(0x1D7CE, 0x1D800), range(0x24B6, 0x24EA))
    subscripts = (range(0x2080, 0x208A), range(0x2074, 0x207A))
    letters = [chr(code) for block in (*blocks, *subscripts) for code in block if unicodedata.name(chr(code), "")]
    texts = ["X" + letter for letter in letters]
    rows = ACCOUNT.draft.query(
        "select t, lookalike_key(t) from (select unnest(cast($texts as varchar[])) as t)", {"texts": texts}
    ).rows
    assert dict(rows) == {text: unicodedata.normalize("NFKC", text).lower() for text in texts}
    assert len(rows) > 700
