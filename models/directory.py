"""Halls, units, the versioned contact table (附件1 业务联系表) and users."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, Text, UniqueConstraint
from sqlmodel import Field

from models.base import CODE, NAME, Base, Json, RowId, UTCDateTime


class Hall(Base, table=True):
    """A service hall (大厅); `hours` are `[["09:00", "12:00"], …]`, None means the default ones."""

    __tablename__ = "halls"

    code: str = Field(primary_key=True, max_length=CODE)
    name: str = Field(max_length=NAME)
    level: str = Field(max_length=CODE)
    parent: str | None = Field(default=None, max_length=CODE)
    supervision_department: str = Field(max_length=NAME)
    policy_id: str = Field(max_length=CODE)
    hours: list[list[str]] | None = Field(default=None, sa_type=Json)


class Unit(Base, table=True):
    """A handling unit (承办单位) of a hall."""

    __tablename__ = "units"
    __table_args__ = (ForeignKeyConstraint(["hall"], ["halls.code"], deferrable=True, initially="DEFERRED"),)

    hall: str = Field(primary_key=True, max_length=CODE)
    code: str = Field(primary_key=True, max_length=CODE)
    name: str = Field(max_length=NAME)


class ContactEntry(Base, table=True):
    """One version of a unit's line in the contact table; the newest version counts, old ones stay.

    Each person is `{name, post, phone}`. Source: S0, 业务联系表.
    """

    __tablename__ = "contact_entries"
    __table_args__ = (
        ForeignKeyConstraint(
            ["hall", "unit"], ["units.hall", "units.code"], deferrable=True, initially="DEFERRED"
        ),
        UniqueConstraint("hall", "unit", "version"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    hall: str = Field(max_length=CODE)
    unit: str = Field(max_length=CODE)
    version: int
    deputy_leader: dict[str, Any] = Field(sa_type=Json)
    contact: dict[str, Any] = Field(sa_type=Json)
    alternate: dict[str, Any] | None = Field(default=None, sa_type=Json)
    valid_from: datetime = Field(sa_type=UTCDateTime)
    valid_to: datetime | None = Field(default=None, sa_type=UTCDateTime)
    changed_by: str = Field(max_length=CODE)


class User(Base, table=True):
    """Somebody who may sign in; `totp_secret` is sealed by the keyring, purpose `totp:<user>`."""

    __tablename__ = "users"
    __table_args__ = (
        ForeignKeyConstraint(["hall"], ["halls.code"], deferrable=True, initially="DEFERRED"),
        # Who hears of a case: its window's people, or one unit's contacts and leader.
        Index(None, "hall", "unit", "role"),
    )

    username: str = Field(primary_key=True, max_length=CODE)
    name: str = Field(max_length=NAME)
    password_hash: str = Field(sa_type=Text)
    role: str = Field(max_length=CODE)
    hall: str | None = Field(default=None, max_length=CODE)
    unit: str | None = Field(default=None, max_length=CODE)
    alternate: bool = False
    active: bool = True
    demo: bool = False
    must_change_password: bool = False
    totp_secret: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=UTCDateTime)
