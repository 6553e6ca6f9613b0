"""What all lists share: a page number, counted from 1, and how much is on a page."""

from typing import Annotated

from fastapi import Query

# Far enough for every list, and near enough for every database.
LAST_PAGE = 1_000_000

Page = Annotated[int, Query(ge=1, le=LAST_PAGE)]
PerPage = Annotated[int, Query(ge=1, le=200)]
