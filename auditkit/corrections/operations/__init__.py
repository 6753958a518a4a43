"""One class per operation: what may be changed at a vendor, what is sent, and what must come of it."""
