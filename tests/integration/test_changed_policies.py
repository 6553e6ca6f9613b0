"""A policy version means one thing for ever: a file edited without a new version is noticed."""

from dataclasses import replace

from casework.pinned import changed_policies
from models.database import Database
from models.messages import encode_policy
from models.migrate import upgrade
from models.policies import read_policies
from models.terms import PolicyVersion


async def test_a_policy_edited_without_a_new_version_is_named(database_url: str) -> None:
    await upgrade(database_url)
    database = Database(database_url)
    guilin = read_policies(None)["guilin"]
    async with database.begin() as session:
        session.add(PolicyVersion(id=guilin.id, version=guilin.version, values=encode_policy(guilin)))
    edited = replace(guilin, simple=guilin.simple + 1)
    renamed = replace(edited, version="2")
    try:
        assert await changed_policies(database, [guilin, renamed]) == []
        assert await changed_policies(database, [edited]) == [f"guilin {guilin.version}"]
    finally:
        await database.close()
