"""docker-compose.yml and Dockerfile: what the specification demands of the production form.

What the containers run is tried as processes in tests/integration/test_containers.py.
"""

import os
import re
import shlex
import shutil
import subprocess
import sysconfig
import tomllib
from fnmatch import fnmatch
from ipaddress import ip_address, ip_network
from itertools import takewhile
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml
from typer.main import get_command

from cli import app
from settings import Settings
from tests.support.composed import FILE, ROOT, SITE, composed, environment_of, ours
from workflows.queues import QUEUES

SERVICES: dict[str, Any] = composed()["services"]
ONCE = ("migrate", "namespace", "temporal-schema")
SECRET = re.compile(r"password|secret|_key|token|_pwd", re.IGNORECASE)
DEBIAN = shutil.which("docker-compose")
LOCKS = ("requirements/run.lock", "requirements/build.lock")
# Settings that the compose file does not hand on, and why.
LEFT_OUT = {
    "demo_password": "production has no demonstration",
    "rehearsal_channels": "nobody rehearses in containers: a rehearsal needs a loopback address",
    "temporal_tls_server_root_ca": "the engine of the file is in a network without a way in",
    "temporal_tls_client_cert": "as above; a cluster elsewhere: install.md, Over several hosts",
    "temporal_tls_client_key": "as above",
    "temporal_tls_domain": "as above",
    "temporal_api_key": "as above",
}
# Made with the metrics and alerts; the monitoring profile mounts them.
MONITORING = ("prometheus.yml", "rules.yml", "grafana/dashboards")


def test_the_file_is_what_the_specification_calls_one() -> None:
    compose_spec.PyCompose.from_yaml(yaml.safe_dump(composed())).validate()


def test_a_misspelt_key_would_not_pass() -> None:
    wrong = composed()
    wrong["services"]["api"]["healthchek"] = {}
    with pytest.raises(ValueError, match="healthchek"):
        compose_spec.PyCompose.from_yaml(yaml.safe_dump(wrong))


def test_debians_program_reads_it_where_that_is_installed() -> None:
    if DEBIAN is None:
        pytest.skip("docker-compose is not installed")
    command = [DEBIAN, "--file", FILE, "--profile", "monitoring", "config", "-q"]
    for site, code in ((SITE, 0), ("", 1)):
        env = {"PATH": "/usr/bin:/bin", "BANCHENG_SITE": site}
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == code, done.stderr


def test_without_the_name_of_the_site_it_is_not_read() -> None:
    with pytest.raises(KeyError, match="BANCHENG_SITE"):
        composed(BANCHENG_SITE="")


def test_the_parts_are_those_of_the_design() -> None:
    assert {"postgres", "temporal", "temporal-schema", "temporal-ui", "migrate", "proxy"} <= set(SERVICES)
    replicas = {name: service.get("deploy", {}).get("replicas", 1) for name, service in SERVICES.items()}
    assert (replicas["api"], replicas["worker"], replicas["notifications"]) == (2, 2, 1)
    monitoring = {name for name, service in SERVICES.items() if service.get("profiles") == ["monitoring"]}
    assert monitoring == {"prometheus", "alertmanager", "grafana"}


def test_every_image_is_pinned_by_a_version() -> None:
    for name, service in SERVICES.items():
        assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?", service["image"]), name


def test_our_image_bears_the_version_of_the_release() -> None:
    """An upgrade is another tag; with the old one, the old image would be started again."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert {service["image"] for service in ours().values()} == {f"bancheng:{version}"}


def test_what_postgresql_runs_at_first_is_a_program_of_its_own() -> None:
    """The image would read one that is none into its own shell, and its `set -u` along."""
    assert os.access(ROOT / "deploy/postgres/init.sh", os.X_OK)


def test_temporals_server_is_that_of_the_tests() -> None:
    """And its UI: both as they come along with the command line tool."""
    program = Path(sysconfig.get_path("scripts")) / "temporal"
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    server, ui = re.findall(r"(?:Server|UI) ([\d.]+)", said)
    assert SERVICES["temporal"]["image"] == f"temporalio/server:{server}"
    assert SERVICES["temporal-schema"]["image"] == f"temporalio/admin-tools:{server}"
    assert SERVICES["temporal-ui"]["image"] == f"temporalio/ui:{ui}"


def test_the_number_of_history_shards_never_changes() -> None:
    assert environment_of(SERVICES["temporal"])["NUM_HISTORY_SHARDS"] == "512"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_container_is_held_short(name: str) -> None:
    """An ordinary user, nothing to write to but its volume, no rights, an end to memory and log."""
    service = SERVICES[name]
    assert int(service.get("user", "10001:10001").partition(":")[0]) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"] and service["pids_limit"]
    assert service["logging"]["options"]["max-size"]
    assert not {"privileged", "pid", "network_mode", "devices"} & set(service)
    assert "/var/run/docker.sock" not in str(service)


def test_one_run_may_be_given_more_memory() -> None:
    """A backup of many files needs more than what goes on, and `docker compose run` has no option for it."""
    assert SERVICES["api"]["mem_limit"] == "1g"
    assert composed(PART_MEMORY="4g")["services"]["api"]["mem_limit"] == "4g"


def test_what_prometheus_keeps_has_an_end() -> None:
    """It lies on the disk of the database; series of many replicas over 90 days would fill it."""
    assert "--storage.tsdb.retention.size=10GB" in SERVICES["prometheus"]["command"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_goes_on_has_a_health_check_and_what_ends_has_none(name: str) -> None:
    service = SERVICES[name]
    if name in ONCE:
        assert service["restart"] == "on-failure" and "healthcheck" not in service
    else:
        assert service["restart"] == "unless-stopped" and service["healthcheck"]["test"]


def test_who_waits_for_whom_is_there_and_says_so() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            needed = "service_completed_successfully" if other in ONCE else "service_healthy"
            assert how["condition"] == needed, (name, other)
            assert other in ONCE or "healthcheck" in SERVICES[other], (name, other)


def test_what_ends_is_waited_for_by_what_goes_on() -> None:
    """Else `up --wait` takes its end for a failure."""
    waited_for = {
        other
        for name, service in SERVICES.items()
        if name not in ONCE
        for other in service.get("depends_on", ())
    }
    assert set(ONCE) <= waited_for


def test_no_secret_stands_in_the_file() -> None:
    for name, service in SERVICES.items():
        for variable, value in environment_of(service).items():
            if SECRET.search(variable):
                assert value == "" or value.startswith("/run/secrets/") or value == "true", (name, variable)


def test_every_secret_is_a_file_that_git_and_the_image_never_see() -> None:
    whole = composed()
    declared = set(whole["secrets"])
    assert {secret for service in SERVICES.values() for secret in service.get("secrets", [])} == declared
    for secret in whole["secrets"].values():
        assert secret["file"].startswith("./deploy/secrets/")
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "/deploy/secrets/" in ignored


def test_what_is_mounted_from_here_is_here_and_read_only() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source, _, rest = volume.partition(":")
            if source.startswith("."):
                assert rest.endswith(":ro"), (name, volume)
                made_elsewhere = source.removeprefix("./deploy/monitoring/") in MONITORING
                assert made_elsewhere or (ROOT / source).exists(), (name, volume)


def test_only_the_proxy_is_reached_from_outside() -> None:
    for name, service in SERVICES.items():
        ports = service.get("ports", [])
        if name != "proxy":
            assert all(str(port).startswith("127.0.0.1:") for port in ports), name
    assert composed()["networks"]["back"]["internal"] is True
    for name in ("postgres", "temporal", "temporal-schema"):
        assert SERVICES[name]["networks"] == ["back"]


def test_the_proxy_alone_is_believed_and_has_its_address() -> None:
    whole = composed(PROXY_ADDRESS="10.9.8.250", FRONT_SUBNET="10.9.8.0/24", FRONT_RANGE="10.9.8.0/25")
    address = whole["services"]["proxy"]["networks"]["front"]["ipv4_address"]
    assert address == "10.9.8.250"
    assert environment_of(whole["services"]["api"])["BANCHENG_TRUSTED_PROXIES"] == address
    default = composed()
    (network,) = default["networks"]["front"]["ipam"]["config"]
    taken = default["services"]["proxy"]["networks"]["front"]["ipv4_address"]
    assert ip_address(taken) in ip_network(network["subnet"])
    assert ip_address(taken) not in ip_network(network["ip_range"])  # nobody else gets it by chance


@pytest.mark.parametrize("name", sorted(ours()))
def test_our_services_are_given_settings_that_there_are(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No unknown name, no faulty value, and all that production needs."""
    service = ours()[name]
    given = environment_of(service)
    ours_alone = set(given) - {"HTTPS_PROXY", "NO_PROXY"}
    assert all(variable.startswith("BANCHENG_") for variable in ours_alone)
    names = {variable.removeprefix("BANCHENG_").lower() for variable in ours_alone}
    assert names <= set(Settings.model_fields)
    secrets = {secret.removeprefix("bancheng_") for secret in service["secrets"]}
    assert secrets <= set(Settings.model_fields)
    assert {"database_url", "secret_key", "payload_keys", "signing_key"} <= secrets
    assert {"data_dir", "temporal_address", "temporal_namespace", "public_url", "trusted_proxies"} <= names
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    subprocess.run(["sh", ROOT / "deploy/make-secrets.sh", tmp_path], check=True, capture_output=True)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    settings = Settings()
    assert settings.database.startswith("postgresql://bancheng:")
    assert settings.secret_key and settings.payload_keys and settings.signing_key
    assert settings.keyring() and settings.evidence().signer
    assert settings.public_url == f"https://{SITE}"
    assert settings.temporal_ui_origin == f"https://{SITE}:8443"
    assert not settings.is_local or name != "api"


def test_every_setting_is_handed_on_or_left_out_for_a_reason() -> None:
    """What stands in .env and reaches no container would be dropped without a word."""
    given = {name for service in ours().values() for name in environment_of(service)}
    names = {name.removeprefix("BANCHENG_").lower() for name in given if name.startswith("BANCHENG_")}
    secrets = {secret.removeprefix("bancheng_") for each in ours().values() for secret in each["secrets"]}
    assert not (names | secrets) & set(LEFT_OUT)
    assert set(Settings.model_fields) == names | secrets | set(LEFT_OUT)


def test_what_an_operator_may_set_is_handed_on_as_he_wrote_it() -> None:
    text = FILE.read_text(encoding="utf-8")
    passed = re.findall(r'^  (BANCHENG_\w+|HTTPS_PROXY|NO_PROXY): "\$\{(\w+):-\}"$', text, re.MULTILINE)
    assert all(name == variable for name, variable in passed)
    assert {"BANCHENG_SMTP_CA", "BANCHENG_POLICIES_DIR", "HTTPS_PROXY"} <= {name for name, _ in passed}
    for name, service in ours().items():
        assert "./deploy/own:/etc/bancheng:ro" in service["volumes"], name


def test_every_variable_of_the_file_is_documented() -> None:
    named = set(re.findall(r"\$\{(\w+)", FILE.read_text(encoding="utf-8")))
    pages = ("docs/how-to/install.md", "docs/reference/settings.md")
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in pages)
    assert {name for name in named if f"`{name}`" not in text} == set()


def test_a_password_as_a_file_reaches_all_who_read_the_settings() -> None:
    """Name and password go together: a part that finds one of them alone does not start."""
    page = (ROOT / "docs/how-to/notifications.md").read_text(encoding="utf-8")
    (override,) = re.findall(r"```yaml\n(.+?)```", page, re.DOTALL)
    read = yaml.safe_load(override)
    assert set(read["services"]) == {*ours(), "alertmanager"}
    assert all(each == {"secrets": ["bancheng_smtp_password"]} for each in read["services"].values())
    assert read["secrets"] == {"bancheng_smtp_password": {"file": "./deploy/secrets/bancheng_smtp_password"}}


def alerting(folder: Path, **variables: str) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Run the script of Alertmanager's container without what it becomes."""
    written = folder / "alertmanager.yml"
    env = {"PATH": "/usr/bin:/bin", "ALERTMANAGER": "/bin/true", "CONFIGURATION": str(written), **variables}
    command = ["sh", ROOT / "deploy/monitoring/alertmanager.sh"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False), written


MAILED = {
    "ALERTS_MAIL_TO": "ops@hall.example",
    "SMTP_HOST": "mail.hall.example",
    "SMTP_SENDER": "no-reply@hall.example",
}


def test_alerts_reach_who_is_named(tmp_path: Path) -> None:
    password = "it's: #1 $HOME"
    signed = {"SMTP_USERNAME": "bancheng", "SMTP_PASSWORD": password, "SMTP_CA": "/etc/bancheng/ca.pem"}
    done, written = alerting(tmp_path, ALERTS_WEBHOOK_URL="https://ops.example/a?b=c", **MAILED, **signed)
    assert done.returncode == 0, done.stderr
    assert written.stat().st_mode & 0o077 == 0
    read = yaml.safe_load(written.read_text(encoding="utf-8"))
    receiver = receivers(read)["operators"]
    assert read["route"]["receiver"] == receiver["name"]
    assert receiver["webhook_configs"] == [{"url": "https://ops.example/a?b=c"}]
    (mail,) = receiver["email_configs"]
    assert (mail["to"], mail["tls_config"]) == ("ops@hall.example", {"ca_file": "/etc/bancheng/ca.pem"})
    assert read["global"]["smtp_smarthost"] == "mail.hall.example:587"
    assert read["global"]["smtp_auth_password"] == password
    assert read["global"]["smtp_require_tls"] is True


def receivers(configuration: dict[str, Any]) -> dict[str, Any]:
    return {receiver["name"]: receiver for receiver in configuration["receivers"]}


@pytest.mark.parametrize("url", ["", "https://elsewhere.example/ping/it's"])
def test_the_watchdog_reaches_who_notices_its_silence_and_no_operator(url: str, tmp_path: Path) -> None:
    _, written = alerting(tmp_path, ALERTS_WEBHOOK_URL="https://ops.example/a", ALERTS_WATCHDOG_URL=url)
    read = yaml.safe_load(written.read_text(encoding="utf-8"))
    first, *_ = read["route"]["routes"]  # the first that matches takes it
    assert first["matchers"] == ['alertname="Watchdog"']
    assert (first["receiver"], first["repeat_interval"]) == ("watchdog", "5m")
    posted = receivers(read)["watchdog"].get("webhook_configs", [])
    assert posted == ([{"url": url, "send_resolved": False}] if url else [])


@pytest.mark.parametrize("watchdog", ["", "https://elsewhere.example/ping"])
def test_alertmanagers_own_tool_takes_what_is_written(watchdog: str, tmp_path: Path) -> None:
    amtool = shutil.which("amtool")
    if amtool is None:
        pytest.skip("amtool is not installed")
    given = {"ALERTS_WEBHOOK_URL": "https://ops.example/a", "ALERTS_WATCHDOG_URL": watchdog}
    _, written = alerting(tmp_path, **given, **MAILED, SMTP_CA="/ca.pem")
    checked = subprocess.run([amtool, "check-config", written], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_mail_servers_password_may_be_a_file(tmp_path: Path) -> None:
    done, written = alerting(tmp_path, **MAILED, SMTP_USERNAME="bancheng", SMTP_SECURITY="none")
    assert done.returncode == 0, done.stderr
    told = yaml.safe_load(written.read_text(encoding="utf-8"))["global"]
    assert told["smtp_auth_password_file"] == "/run/secrets/bancheng_smtp_password"
    assert told["smtp_require_tls"] is False


@pytest.mark.parametrize("variables", [{}, {"ALERTS_MAIL_TO": "ops@hall.example"}])
def test_watching_that_tells_nobody_does_not_start(variables: dict[str, str], tmp_path: Path) -> None:
    done, written = alerting(tmp_path, **variables)
    assert done.returncode == 1 and ".env" in done.stderr
    assert not written.exists()


def test_the_example_of_settings_names_variables_of_the_file() -> None:
    text = FILE.read_text(encoding="utf-8")
    lines = (ROOT / "deploy/example.env").read_text(encoding="utf-8").splitlines()
    names = [line.partition("=")[0] for line in lines if line and not line.startswith("#")]
    assert len(names) > 3
    for name in names:
        assert f"${{{name}" in text or name == "COMPOSE_PROJECT_NAME", name


@pytest.mark.parametrize("name", sorted(ours()))
def test_what_our_services_run_is_a_command_of_ours(name: str) -> None:
    given = list(ours()[name]["command"])
    command: Any = get_command(app)
    while given and hasattr(command, "commands"):
        command = command.commands[given.pop(0)]
    command.make_context(name, given)


RUNS = re.compile(r"^docker compose (?:run|exec) (.+)$", re.MULTILINE)
VALUED = ("--volume", "--env", "--entrypoint")


def told() -> list[tuple[str, list[str]]]:
    """Every `docker compose run` and `exec` in the code blocks of the documents, with its words."""
    found = []
    for page in sorted((ROOT / "docs").rglob("*.md")):
        text = re.sub(r"\\\n\s*", "", page.read_text(encoding="utf-8"))
        found += [(page.name, words_of(said)) for said in RUNS.findall(text)]
    return found


def words_of(line: str) -> list[str]:
    """A shell's words, up to where they lead elsewhere."""
    read = shlex.shlex(line, posix=True, punctuation_chars=True)
    read.whitespace_split = True
    return list(takewhile(lambda word: not set(word) <= set("<>|&;"), read))


@pytest.mark.parametrize(("page", "words"), told())
def test_what_the_documents_run_is_there(page: str, words: list[str]) -> None:
    """A service of the file, and behind one of ours a command of ours."""
    other_program = "--entrypoint" in words
    while words[0].startswith("-"):
        words = words[2 if words[0] in VALUED else 1 :]
    service, *given = words
    assert service in SERVICES, page
    command: Any = get_command(app)
    if service not in ours() or other_program or given[:1] == ["python"] or not given:
        return
    if given[0] in ("cat", "bancheng"):  # of `exec`
        given = given[1:] if given[0] == "bancheng" else []
    while given and hasattr(command, "commands"):
        command = command.commands[given.pop(0)]


def test_the_documents_say_how_to_back_up_and_restore_in_containers() -> None:
    said = [" ".join(words) for page, words in told() if page == "recover.md"]
    for part in (" api backup ", " api restore "):
        assert any(part in line for line in said)
    assert all("--no-deps" in line for line in said if " api restore " in line)


def test_every_queue_has_a_worker() -> None:
    queues = [
        word
        for service in ours().values()
        if service["command"][0] == "worker"
        for word in service["command"]
        if word in QUEUES
    ]
    assert sorted(queues) == sorted(QUEUES)


def test_workers_are_given_the_time_that_a_stop_takes() -> None:
    from serving import GRACE as OF_REQUESTS
    from worker import GRACE

    assert int(SERVICES["worker"]["stop_grace_period"].removesuffix("s")) > GRACE.total_seconds()
    assert int(SERVICES["api"]["stop_grace_period"].removesuffix("s")) > OF_REQUESTS


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, each on one line."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in lines if line.strip()]


def test_what_the_package_is_built_with_is_what_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["dependency-groups"]["build"] == project["build-system"]["requires"]
    assert "hatchling==" in (ROOT / "requirements/build.lock").read_text(encoding="utf-8")


def test_the_image_is_built_in_stages_of_a_pinned_version() -> None:
    images = [what.split()[0] for name, what in instructions() if name == "FROM"]
    assert len(images) == 2 and len(set(images)) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", images[0])


def test_the_image_runs_as_an_ordinary_user_and_holds_no_secret() -> None:
    last = [(name, what) for name, what in instructions()]
    last = last[max(i for i, (name, _) in enumerate(last) if name == "FROM") :]
    assert ("USER", "10001:10001") in last
    assert ("ENTRYPOINT", '["bancheng"]') in last
    for name, what in instructions():
        if name in ("ENV", "ARG"):
            assert not any(SECRET.search(word.partition("=")[0]) for word in shlex.split(what)), what
    pip = " ".join(what for name, what in instructions() if name == "RUN")
    assert "--require-hashes" in pip
    # pip would build in a room of its own, with whatever is newest in the index that day.
    for built in re.findall(r"pip (?:install|wheel)[^&]*/src(?= |$)", pip):
        assert "--no-build-isolation" in built
    assert all(lock in pip for lock in LOCKS)
    assert "://" not in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_what_goes_into_the_image_is_what_is_named() -> None:
    """A secret or a database that lies beside the code stays where it is."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*"
    wanted = [line.removeprefix("!") for line in lines if line.startswith("!")]
    for private in (".env", "data", "deploy/secrets", ".git", "tests", ".venv"):
        assert not any(fnmatch(private, pattern) for pattern in wanted), private
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packed = project["tool"]["hatch"]["build"]["only-include"]
    for part in [*packed, "pyproject.toml", "README.md", "LICENSE", *LOCKS]:
        assert any(fnmatch(part, pattern) for pattern in wanted), part
    for source in ("deploy/healthcheck.py",):
        assert source in wanted and (ROOT / source).exists()
