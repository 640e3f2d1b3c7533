"""Somebody at the desk who writes, and the enquiries that read what was written."""

import pytest

from clerk import Clerk
from paydown.enquiries import Enquiries
from paydown.service import read_clock
from paydown.storage.database import Database


@pytest.fixture
def clerk(database: Database) -> Clerk:
    """The till, at the desk."""
    return Clerk(database)


@pytest.fixture
def enquiries(database: Database) -> Enquiries:
    """The readings of the same ledger."""
    return Enquiries(database, clock=read_clock)
