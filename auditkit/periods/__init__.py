"""Months: the books as of the end of one."""
