"""`case_facts`: what the figures count of each case, one narrow row beside it, made anew from its ledger.

A table of SQLAlchemy Core: nothing loads a row as an object, and its counts are named as the rules name
them (rules/counts.py). There is no foreign key to `cases`: as the projection, it may be deleted and made
anew. Erasure blanks `person_key` and `matter_key`.
"""

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, SmallInteger, String, Table

from models.base import CODE, DIGEST, UUID, Base, Json, UTCDateTime
from rules.counts import COUNTED

WIDE = ("_minutes", "_days")
INTAKE = ("consulted", "out_of_scope", "merged", "repeated")

CASE_FACTS = Table(
    "case_facts",
    Base.metadata,
    Column("case_id", String(UUID), primary_key=True),
    Column("hall", String(CODE), nullable=False),
    Column("unit", String(CODE)),
    Column("kind", String(CODE)),
    Column("cause", String(CODE)),
    Column("received_at", UTCDateTime, nullable=False),
    Column("received_on", Date, nullable=False),
    # Whether a like case came before is looked up by these two: equal keys, equal person and matter.
    Column("person_key", BigInteger),
    Column("matter_key", BigInteger),
    *(Column(name, SmallInteger, nullable=False) for name in INTAKE),
    Column("apart", Boolean, nullable=False),
    Column("counts_at", UTCDateTime),
    Column("counts_on", Date),
    *(Column(name, Integer if name.endswith(WIDE) else SmallInteger, nullable=False) for name in COUNTED),
    Column("elsewhere", Json),
    # Who holds an open case, and since when; by which calendar that time is measured.
    Column("held_by", String(CODE)),
    Column("held_since", UTCDateTime),
    Column("held_calendar", String(DIGEST)),
    Index("ix_case_facts_counts_at", "counts_at"),
    Index("ix_case_facts_received_at", "received_at"),
    # The matter first: the cases of a matter are looked up too, whosever they are.
    Index("ix_case_facts_matter_key_person_key_received_at", "matter_key", "person_key", "received_at"),
)
"""`received_on` and `counts_on` are dates of Shanghai; working time is in whole minutes and days."""
