"""What the tables are made of: their columns, keys and checks, alike on every database."""

from collections.abc import Iterable

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.schema import SchemaItem

from paydown.domain.model import AccountType, Bundle, Kind

# SQLite spells every whole number INTEGER; its STRICT tables know no other name.
Whole = BigInteger().with_variant(Integer(), "sqlite")

# Texts are compared by code point on both databases, whatever language PostgreSQL was set up in.
Words = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def table(name: str, *items: SchemaItem) -> Table:
    """A table that SQLite type-checks and stores in primary-key order."""
    return Table(name, metadata, *items, sqlite_strict=True, sqlite_with_rowid=False)


def whole(name: str, *, null: bool = False) -> Column[int]:
    """A column of whole numbers."""
    return Column(name, Whole, nullable=null, autoincrement=False)


def words(name: str, *, null: bool = False) -> Column[str]:
    """A column of texts, compared by code point."""
    return Column(name, Words, nullable=null)


def octets(name: str) -> Column[bytes]:
    """A column of bytes."""
    return Column(name, LargeBinary, nullable=False)


def flag(name: str) -> tuple[SchemaItem, SchemaItem]:
    """A column that is 0 or 1."""
    return whole(name), CheckConstraint(f"{name} IN (0, 1)", name)


def one_of(name: str, values: Iterable[Kind | AccountType | Bundle]) -> CheckConstraint:
    """That the column of that name is one of the values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{name} IN ({listed})", name)


def account_key(column: str) -> ForeignKeyConstraint:
    """That the column names one of the customer's accounts."""
    return ForeignKeyConstraint(
        ["customer_id", column], ["account.customer_id", "account.account_id"]
    )


def customer_key() -> ForeignKeyConstraint:
    """That the row belongs to a customer."""
    return ForeignKeyConstraint(["customer_id"], ["customer.customer_id"])
