"""Tests of corrections, against the sandbox over real HTTP."""
