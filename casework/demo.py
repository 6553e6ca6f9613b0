"""The demonstration halls (contract.md, Demonstration hall): every name and number is invented.

Loading twice adds only what is missing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.passwords import check_password, hash_password
from casework.services import Services
from models.codes import new_code
from models.directory import ContactEntry, Hall, Unit, User
from rules.case.vocabulary import Role

HALLS = {
    "guilin": ("桂林市政务服务中心(演示)", "city", "桂林市政务服务监督管理部门(演示)"),
    "chengzhong": ("柳州市城中区政务服务中心(演示)", "county", "城中区政务服务监督管理部门(演示)"),
}
UNITS = {
    "market": "市场监管局",
    "social": "人社局",
    "medical": "医保局",
    "housing": "住建局",
    "resources": "自然资源局",
    "civil": "民政局",
    "education": "教育局",
}
WINDOW = {
    "clerk": (Role.CLERK, "窗口A岗"),
    "clerk2": (Role.CLERK, "窗口B岗"),
    "lead": (Role.WINDOW_LEAD, "窗口负责人"),
    "centre": (Role.CENTRE, "政务服务中心"),
    "supervisor": (Role.SUPERVISOR, "监督管理"),
}
OVER_ALL = {
    "superior": (Role.SUPERIOR, "上级部门"),
    "auditor": (Role.AUDITOR, "纪检审计"),
    "admin": (Role.ADMIN, "系统管理员"),
}
UNIT_PEOPLE = {
    "contact": (Role.CONTACT, "联系人"),
    "alternate": (Role.CONTACT, "备用联系人"),
    "leader": (Role.DEPUTY_LEADER, "分管领导"),
}
LOADED_BY = "demo"


@dataclass(frozen=True)
class Loaded:
    """How many users were added, and the password that was made for them.

    None: one was given, or nobody was new.
    """

    users: int
    password: str | None = None


@dataclass(frozen=True)
class _Person:
    username: str
    name: str
    role: Role
    hall: str | None = None
    unit: str | None = None
    alternate: bool = False


async def is_empty(services: Services) -> bool:
    """Whether the database has neither a user nor a hall. Raises DatabaseUnavailable."""
    async with services.database.read() as session:
        users = (await session.exec(select(User.username).limit(1))).first()
        halls = (await session.exec(select(Hall.code).limit(1))).first()
    return users is None and halls is None


async def has_demo(services: Services) -> bool:
    """Whether there are demonstration users. Raises DatabaseUnavailable."""
    return bool(await _demo_users(services))


async def load_demo(services: Services, password: str | None) -> Loaded:
    """Add the halls, units, contact tables and users that are missing.

    A `password` that is given becomes the password of all demonstration users; without one, users
    who are new get a random one, which is returned and stored nowhere. Raises DatabaseUnavailable.
    """
    now = await services.clock.now()
    async with services.database.read() as session:
        known = set((await session.exec(select(User.username))).all())
    missing = [person for person in _people() if person.username not in known]
    made = new_code() if missing and password is None else None
    hashed = await hash_password(password or made or "") if missing else ""
    async with services.database.begin() as session:
        for hall in HALLS:
            await _add_hall(session, hall, now)
        await session.flush()
        session.add_all(_user(person, hashed, now) for person in missing)
    if password is not None:
        await renew_password(services, password)
    return Loaded(len(missing), made)


async def renew_password(services: Services, password: str) -> None:
    """Make this the password of every demonstration user who has another one."""
    stale = []
    # They share few hashes, mostly one.
    for stored in {user.password_hash for user in await _demo_users(services)}:
        if not (await check_password(password, stored))[0]:
            stale.append(stored)
    if not stale:
        return
    hashed = await hash_password(password)
    async with services.database.begin() as session:
        changed = col(User.demo).is_(True), col(User.password_hash).in_(stale)
        await session.exec(update(User).where(*changed).values(password_hash=hashed))


async def _demo_users(services: Services) -> Sequence[User]:
    async with services.database.read() as session:
        return (await session.exec(select(User).where(col(User.demo).is_(True)))).all()


async def _add_hall(session: AsyncSession, code: str, now: datetime) -> None:
    if await session.get(Hall, code) is None:
        name, level, department = HALLS[code]
        session.add(
            Hall(code=code, name=name, level=level, supervision_department=department, policy_id=code)
        )
    for unit, name in UNITS.items():
        if await session.get(Unit, (code, unit)) is None:
            session.add(Unit(hall=code, code=unit, name=name))
            session.add(_contacts(code, unit, now))


def _contacts(hall: str, unit: str, now: datetime) -> ContactEntry:
    people = {
        key: {"name": _name(UNITS[unit] + title), "post": title, "phone": _phone(hall, unit, key)}
        for key, (_, title) in UNIT_PEOPLE.items()
    }
    return ContactEntry(
        hall=hall,
        unit=unit,
        version=1,
        deputy_leader=people["leader"],
        contact=people["contact"],
        alternate=people["alternate"],
        valid_from=now,
        changed_by=LOADED_BY,
    )


def _phone(hall: str, unit: str, key: str) -> str:
    number = list(product(HALLS, UNITS, UNIT_PEOPLE)).index((hall, unit, key))
    return f"1380013{number:04d}"


def _name(title: str) -> str:
    return f"演示·{title}"


def _people() -> Iterator[_Person]:
    for hall in HALLS:
        for key, (role, title) in WINDOW.items():
            yield _Person(f"{hall}.{key}", _name(title), role, hall)
        for unit, unit_name in UNITS.items():
            for key, (role, title) in UNIT_PEOPLE.items():
                name = _name(unit_name + title)
                yield _Person(f"{hall}.{unit}.{key}", name, role, hall, unit, key == "alternate")
    for key, (role, title) in OVER_ALL.items():
        yield _Person(key, _name(title), role)


def _user(person: _Person, hashed: str, now: datetime) -> User:
    return User(
        username=person.username,
        name=person.name,
        password_hash=hashed,
        role=person.role,
        hall=person.hall,
        unit=person.unit,
        alternate=person.alternate,
        demo=True,
        created_at=now,
    )
