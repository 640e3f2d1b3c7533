"""Paydown: a server that records payments and write-downs against members' billing items."""

__version__ = "0.1.0"
