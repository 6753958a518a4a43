"""The invented contractor's vendors, clients and people. These names are data: changing one changes the demo's figures.

Nothing here is random. Not here: anything with an amount or a date.
"""

from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2s

__all__ = ["AUTHORS", "CLIENTS", "LABOR", "REPRESENTATIVES", "VENDORS", "Client", "Vendor", "as_guid", "fixed_guid"]

SUB_TOTAL = "SUB_TOTAL"
SUB_TOTAL_AND_VENDOR_TAX = "SUB_TOTAL_AND_VENDOR_TAX"


def fixed_guid(name: str) -> str:
    """The same guid for the same name, in every world."""
    return as_guid(blake2s(name.encode(), digest_size=16).hexdigest())


def as_guid(digits: str) -> str:
    """A guid in the usual form, from 32 hexadecimal digits."""
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor of the contractor. `style` formats its invoice numbers; `rates`: lowest and highest price in dollars."""

    code: str
    trade: str
    markup: Decimal
    style: str
    rates: tuple[int, int]
    quantities: tuple[str, ...]
    tax_percent: int = 5
    applies_on: str = SUB_TOTAL

    def invoice_number(self, serial: int) -> str:
        """An invoice number; its two check digits keep any two numbers of the vendor more than one edit apart."""
        return self.style.format(serial=f"{serial:07d}", check=f"{serial % 97:02d}")


@dataclass(frozen=True, slots=True)
class Client:
    """A client of the contractor."""

    code: str
    name: str
    is_taxed: bool
    terms_days: int


# The vendor without markup is the only one of its trade, so that no usual markup makes it suspicious.
VENDORS = (
    Vendor("PCR", "Crane hire", Decimal(10), "PC-{serial}{check}", (850, 4200), ("1", "1", "2", "1.5")),
    Vendor("BIT", "Field software", Decimal(10), "BIT/{serial}/{check}", (120, 900), ("1", "1", "3")),
    Vendor("HSD", "Hot shot delivery", Decimal("12.5"), "HS{serial}.{check}", (140, 1300), ("1",)),
    Vendor("NAG", "Gravel and sand", Decimal(8), "4{serial}{check}", (18, 46), ("14.5", "22", "31.25", "40")),
    Vendor("WLD", "Welding", Decimal(15), "W{serial}-{check}", (95, 160), ("4", "6.5", "8", "10")),
    Vendor("TRX", "Equipment rental", Decimal("12.5"), "TRX-INV-{serial}{check}", (210, 1900), ("1", "2", "5")),
    Vendor("SAF", "Safety supplies", Decimal(8), "SS#{serial}{check}", (12, 240), ("1", "6", "12", "24")),
    Vendor(
        "ELC",
        "Electrical subcontract",
        Decimal(10),
        "{serial}-EC-{check}",
        (600, 7400),
        ("1",),
        applies_on=SUB_TOTAL_AND_VENDOR_TAX,
    ),
    Vendor("FUE", "Bulk fuel", Decimal(8), "7{serial}{check}", (1, 3), ("450", "800", "1250.5")),
    Vendor("LDG", "Camp and lodging", Decimal(10), "LC.{serial}.{check}", (135, 210), ("2", "5", "9", "14")),
    Vendor("ENV", "Waste disposal", Decimal(15), "env_{serial}_{check}", (240, 1700), ("1", "2", "3")),
    Vendor("PRM", "Permits and fees", Decimal(0), "PERMIT-{serial}{check}", (85, 1200), ("1",), tax_percent=0),
)

CLIENTS = (
    Client("CL-01", "Alder Ridge Energy", True, 30),
    Client("CL-02", "Town of Mossbank", False, 30),
    Client("CL-03", "Kestrel Midstream", True, 45),
    Client("CL-04", "Saddle Hill Wind", True, 30),
    Client("CL-05", "Poplar Grove School Division", False, 30),
    Client("CL-06", "Two Rivers Potash", True, 45),
    Client("CL-07", "Lac Clair First Nation", False, 30),
    Client("CL-08", "Bow Junction Rail", True, 30),
)

AUTHORS = (
    ("dana@prairie-field", "Dana Whitford"),
    ("luis@prairie-field", "Luis Ortega"),
    ("amrit@prairie-field", "Amrit Gill"),
)
REPRESENTATIVES = (("rep-01", "Nora Lindqvist"), ("rep-02", "Samuel Okafor"))

# Dollars per hour, even, so that half hours make whole dollars.
LABOR = (("Field crew", 184), ("Site supervisor", 126), ("Apprentice", 78), ("Survey crew", 210))
