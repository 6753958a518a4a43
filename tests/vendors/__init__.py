"""Tests of what reaches the network, over real HTTP on loopback."""
