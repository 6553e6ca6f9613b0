"""What the pages of /admin share: who may, reading a form, words for faults."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from casework.user_list import Places
from casework.viewer import Viewer
from pages.admin_words import field
from pages.rendering import render
from pages.sessions import page_only
from routes.wording import fault_words
from rules.case.vocabulary import Role

Admin = Annotated[Viewer, Depends(page_only(Role.ADMIN))]
Decider = Annotated[Viewer, Depends(page_only(Role.ADMIN, Role.AUDITOR))]
KeepsContacts = Annotated[Viewer, Depends(page_only(Role.ADMIN, Role.SUPERVISOR))]

KEY = "key"
NO_STORE = {"Cache-Control": "no-store"}
"""For answers that show a password: no copy of them is kept, at the browser either."""

_WORDS = {
    "bad_hours": "须写作 09:00-12:00 13:30-17:30,按先后顺序",
    "ring": "上级大厅不能是本大厅，也不能是本大厅的下级",
    "given_twice": "已经有了，请换一个",
    "string_pattern_mismatch": "只能用字母、数字、点、横线和下划线，以字母或数字开头",
    "string_too_short": "必填",
    "enum": "请选择一项",
}


def show(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """Return a page of templates/admin/, with the words of these pages."""
    return render(request, f"admin/{template}", status=status, field_name=field, **values)


async def typed(request: Request, *names: str) -> dict[str, str]:
    """Return these fields as typed, trimmed at both ends; "" for what did not come."""
    form = await request.form()
    values = {name: form.get(name) for name in names}
    return {
        name: value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""
        for name, value in values.items()
    }


async def key_of(request: Request) -> str:
    """Return the key of the form; one that is none becomes a new one."""
    given = (await typed(request, KEY))[KEY]
    try:
        return str(UUID(given))
    except ValueError:
        return new_key()


def new_key() -> str:
    """Return a key for a form that is shown for the first time."""
    return str(uuid4())


async def uploaded(request: Request, name: str, largest: int) -> bytes | None:
    """Return the content of a file that was chosen, at most one byte more than `largest`."""
    file = (await request.form()).get(name)
    if not isinstance(file, UploadFile) or not file.filename:
        return None
    return await file.read(largest + 1)


def worded(faults: Mapping[str, str], **other: str) -> dict[str, str]:
    """Return faults in words; `other` has words for a field's own faults, as `phone_slug="…"`."""
    return {
        name: other.get(f"{name}_{slug}") or _WORDS.get(slug) or fault_words(slug)
        for name, slug in faults.items()
    }


def place_options(places: Places, *, units: bool = True) -> list[tuple[str, str]]:
    """Return the places to choose from: each hall by its code, below it its units as `hall/unit`."""
    options: list[tuple[str, str]] = []
    for hall in places.halls:
        options.append((hall.code, hall.name))
        if units:
            mine = (unit for unit in places.units if unit.hall == hall.code)
            options += [(f"{unit.hall}/{unit.code}", f"{hall.name} · {unit.name}") for unit in mine]
    return options


def split_place(place: str) -> tuple[str | None, str | None]:
    """Return hall and unit of a place that was chosen."""
    hall, _, unit = place.partition("/")
    return hall or None, unit or None
