"""One id through all logs, nothing of anybody in them, and every metric that rules and screens ask for."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from temporalio import workflow
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import Worker

from casework.backup import LAST, note_backup
from deploy.monitoring import dashboard
from logs import metrics_at
from models.evidence import LedgerCheck
from models.inbox import Delivery
from tests.support.house import House, form, open_house, triage
from tests.support.processes import LOOPBACK, free_port
from tests.support.temporal import TemporalServer
from watching import worker_app
from workflows.runner import RUNNER

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
PRIVATE = (
    "欧阳静好",
    "13800139876",
    "44010619900101003X",
    "身份证丢失补办",
    "办事员态度很差",
    "某某路三号",
    "尽快补办",
)
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}
NAMES = re.compile(r"\b(?:bancheng|temporal|http|process|python)_[a-z0-9_]+")


@pytest.fixture
async def watched(
    furnished_sqlite_url: str, temporal_server: TemporalServer, tmp_path: Path
) -> AsyncIterator[House]:
    """The house on a client of the engine that exposes its metrics, as the entry points have it."""
    address = f"{LOOPBACK}:{free_port()}"
    runtime = Runtime(telemetry=TelemetryConfig(metrics=metrics_at(address)))
    async with open_house(furnished_sqlite_url, temporal_server, tmp_path, runtime=runtime) as house:
        house.services.watch.engine_metrics = address
        yield house


async def test_one_id_leads_to_the_lines_of_api_workflow_and_activity(watched: House) -> None:
    with capture_logs(processors=[merge_contextvars]) as lines:
        case = await filed(watched, "request-of-filing")
        await asked(watched, case, "triage", "guilin.clerk", "request-of-triage", **triage())

    def found(event: str, request_id: str) -> dict[str, Any]:
        return next(x for x in lines if (x["event"], x.get("request_id")) == (event, request_id))

    request = found("request", "request-of-triage")
    update = found("update", "request-of-triage")
    activity = found("activity", "request-of-triage")
    assert (request["status"], update["outcome"], activity["activity"]) == (200, "taken", "record")
    assert request["case_id"] == update["case_id"] == activity["case_id"] == case["id"]
    assert update["command_id"] == activity["command_id"]
    rows = (await watched.get(f"cases/{case['id']}/events", by="guilin.supervisor")).json()["items"]
    assert len(rows) == 2
    # A registration has no command of a request: its activity is found by the case.
    assert found("update", "request-of-filing")["update"] == "register"
    of_case = [line for line in lines if line.get("case_id") == case["id"]]
    assert "register" in {line.get("activity") for line in of_case}
    assert "request-of-filing" in {line.get("request_id") for line in of_case}


async def test_a_refused_command_says_so_in_the_workflows_line(watched: House) -> None:
    case = await watched.handled()
    with capture_logs(processors=[merge_contextvars]) as lines:
        await asked(
            watched, case, "reply", "guilin.market.contact", "early-reply", text="不予办理", resolved=False
        )
    (update,) = [line for line in lines if line["event"] == "update"]
    assert (update["update"], update["outcome"]) == ("reply", "refused")
    assert not [line for line in lines if line["event"] == "activity"]


async def test_nothing_of_anybody_is_logged_in_the_life_of_a_case(
    watched: House, caplog: pytest.LogCaptureFixture
) -> None:
    person = {"kind": "person", "name": PRIVATE[0], "phone": PRIVATE[1], "id_number": PRIVATE[2]}
    caplog.set_level("DEBUG", "bancheng")
    caplog.set_level("INFO")
    with capture_logs(processors=[merge_contextvars]) as lines:
        case = await watched.file(petitioner=person, matter=PRIVATE[3], problem=PRIVATE[4])
        await watched.get("cases", q=PRIVATE[0])
        await watched.get("cases", q=PRIVATE[1])
        await watched.post("cases", form(petitioner=person | {"phone": PRIVATE[1] + "9"}))
        await watched.act(case, "triage", "guilin.clerk", **triage(note=PRIVATE[5]))
        await watched.act(case, "sign", "guilin.market.contact")
        await watched.post(f"cases/{case['id']}/unmask", {"reason": PRIVATE[5]})
        await watched.act(case, "reply", "guilin.market.contact", text=PRIVATE[6], resolved=True)
        pair = {"query_code": case["query_code"], "phone_tail": PRIVATE[1][-4:]}
        await watched.post("public/track", pair, by=None)
        async with watched.down():
            await watched.post(f"cases/{case['id']}/check_reply", {"accept": True, "note": PRIVATE[5]})
    assert len(lines) > 10
    # The client of this test logs its own requests; the house's clients never do.
    others = [
        vars(record) | {"said": record.getMessage()} for record in caplog.records if record.name != "httpx"
    ]
    logged = json.dumps([*lines, *others], ensure_ascii=False, default=str)
    secrets = (*PRIVATE, case["query_code"], case["query_code"].replace("-", ""))
    assert [text for text in secrets if text in logged] == []


async def test_rules_screens_and_reference_name_what_is_exposed_and_nothing_else(watched: House) -> None:
    case = await watched.handled()
    now = datetime.now(UTC)
    async with watched.services.database.begin() as session:
        about = {"case_id": case["id"], "seq": 1, "channel": "webhook", "target": "t", "text": "…", "at": now}
        session.add(Delivery(**about))
        session.add(LedgerCheck(at=now, ok=True, cases=1, events=1, heads=1))
    note_backup(watched.services.attachments.parent)
    await fail_a_workflow_task(watched)
    text = await exposed(watched)
    families = {family.name: family for family in text_string_to_metric_families(text)}
    series = {f"{name}{suffix}" for name, family in families.items() for suffix in suffixes(family.type)}
    series |= {sample.name for family in families.values() for sample in family.samples}

    in_rules = NAMES.findall(" ".join(rule["expr"] for rule in rules()))
    queries = [t["expr"] for panel in dashboard.dashboard()["panels"] for t in panel.get("targets", ())]
    in_screens = NAMES.findall(" ".join(queries))
    assert {*in_rules, *in_screens} - series == set()

    documented = set(NAMES.findall(" ".join(first_cells("docs/reference/metrics.md"))))
    ours = {exposed_name(family) for family in families.values()}
    engines = {name for name in documented if name.startswith("temporal_")}
    assert documented - engines == {name for name in ours if not name.startswith("temporal_")}
    assert engines <= ours
    bare = {re.sub(r"_(bucket|sum|count)$", "", name) for name in (*in_rules, *in_screens)}
    assert bare <= documented


async def test_a_worker_answers_operators_on_its_own_port(watched: House) -> None:
    transport = httpx.ASGITransport(worker_app(watched.services))
    async with httpx.AsyncClient(transport=transport, base_url="http://worker") as http:
        assert (await http.get("/healthz")).json() == {"status": "alive"}
        assert (await http.get("/readyz")).json()["database"] == "ok"
        metrics = (await http.get("/metrics")).text
        assert (await http.get("/api/me")).status_code == 404
        assert (await http.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"})).status_code == 404
    assert "temporal_worker_task_slots_available" in metrics
    assert "process_resident_memory_bytes" in metrics


async def test_the_age_of_the_last_backup_is_told_once_there_was_one(watched: House) -> None:
    assert "bancheng_backup_age_seconds" not in await exposed(watched)
    note_backup(watched.services.attachments.parent)
    mark = watched.services.attachments.with_name(LAST)
    before = (await watched.services.wall.now()).timestamp() - 3600
    os.utime(mark, (before, before))
    (age,) = re.findall(r"^bancheng_backup_age_seconds (\S+)$", await exposed(watched), re.MULTILINE)
    assert 3600 <= float(age) < 3700


def test_every_alert_is_documented_with_its_severity_and_its_runbook() -> None:
    table = re.findall(
        r"^\| \[`(\w+)`\]\(\.\./how-to/operate\.md#(\w+)\) \| (\w+) \|",
        (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert table == [(rule["alert"], rule["alert"].lower(), rule["labels"]["severity"]) for rule in rules()]
    runbook = (ROOT / "docs/how-to/operate.md").read_text(encoding="utf-8")
    assert re.findall(r"^### (\w+)$", runbook, re.MULTILINE) == [rule["alert"] for rule in rules()]
    for rule in rules():
        assert rule["annotations"]["runbook"] == f"docs/how-to/operate.md#{rule['alert'].lower()}"
        assert re.search("[一-鿿]", rule["annotations"]["summary"])


def test_the_dashboard_is_what_its_script_writes() -> None:
    assert dashboard.FILE.read_text(encoding="utf-8") == dashboard.text()
    assert len({panel["id"] for panel in dashboard.dashboard()["panels"]}) == len(
        dashboard.dashboard()["panels"]
    )


def test_prometheus_takes_the_files() -> None:
    """Read as YAML, with what we rely on."""
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text(encoding="utf-8"))
    asked = {job["job_name"]: job["dns_sd_configs"][0] for job in config["scrape_configs"]}
    assert {name: (found["names"], found["port"]) for name, found in asked.items()} == {
        "api": (["api"], 8000),
        "worker": (["worker"], 9464),
        "notifications": (["notifications"], 9464),
        "temporal": (["temporal"], 9090),
    }
    assert config["rule_files"] == ["rules.yml"]
    (alertmanagers,) = config["alerting"]["alertmanagers"]
    assert alertmanagers["static_configs"] == [{"targets": ["alertmanager:9093"]}]


def test_prometheus_own_tool_takes_the_files() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    for words in (("check", "config", "prometheus.yml"), ("test", "rules", "rules_test.yml")):
        checked = subprocess.run([promtool, *words], cwd=MONITORING, capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_service_without_any_container_is_told_of() -> None:
    """Found by DNS, it then has no target at all: `up == 0` would say nothing. Tried in rules_test.yml."""
    expressions = {rule["alert"]: rule["expr"] for rule in rules()}
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text(encoding="utf-8"))
    looked_for = re.findall(
        r'absent\(up\{job="(\w+)"\}\)', expressions["PartGone"] + expressions["ReplicasMissing"]
    )
    assert sorted(looked_for) == sorted(job["job_name"] for job in config["scrape_configs"])


def test_only_a_part_without_which_cases_stand_still_wakes_somebody() -> None:
    """A queue that nobody works on is critical where cases wait for it, else a warning."""
    looked_at = {
        rule["alert"]: (rule["expr"], rule["labels"]["severity"])
        for rule in rules()
        if "workers" in rule["expr"]
    }
    assert looked_at == {
        "NoWorkers": ('max(bancheng_ready{part="workers"}) == 0', "critical"),
        "SideWorkersMissing": (
            'max by (part) (bancheng_ready{part=~"notifications_workers|reporting_workers"}) == 0',
            "warning",
        ),
    }


def rules() -> list[dict[str, Any]]:
    """Every alert of the file of rules, in its order."""
    read = yaml.safe_load((MONITORING / "rules.yml").read_text(encoding="utf-8"))
    return [rule for group in read["groups"] for rule in group["rules"]]


def suffixes(kind: str) -> tuple[str, ...]:
    return SUFFIXES.get(kind, ("_total",) if kind == "counter" else ("",))


def exposed_name(family: Any) -> str:
    return f"{family.name}_total" if family.type == "counter" else str(family.name)


def first_cells(page: str) -> list[str]:
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    return [line.split("|")[1] for line in lines if line.startswith("|")]


async def exposed(house: House) -> str:
    house.services.watch.read_at = None
    answer = await house.request("GET", "/metrics", by=None)
    assert answer.status_code == 200
    return answer.text


async def filed(house: House, request_id: str) -> dict[str, Any]:
    answer = await house.post("cases", form(), headers={"X-Request-ID": request_id})
    assert answer.status_code == 201, answer.text
    assert answer.headers["x-request-id"] == request_id
    return dict(answer.json())


async def asked(house: House, case: Any, name: str, by: str, request_id: str, **body: Any) -> None:
    headers = {"X-Request-ID": request_id}
    answer = await house.post(f"cases/{case['id']}/{name}", body, by=by, headers=headers)
    assert answer.headers["x-request-id"] == request_id


@workflow.defn
class FailsItsTasks:
    """A plain exception is no outcome of a workflow: its task fails, and is tried again."""

    @workflow.run
    async def run(self) -> None:
        raise RuntimeError("fails")


async def fail_a_workflow_task(house: House) -> None:
    """Have a workflow's task fail, so that its counter is there."""
    client = await house.services.engine.client()
    queue = f"failing-{uuid4()}"
    async with Worker(client, task_queue=queue, workflows=[FailsItsTasks], workflow_runner=RUNNER):
        handle = await client.start_workflow(FailsItsTasks.run, id=queue, task_queue=queue)
        for _ in range(100):
            if "temporal_workflow_task_execution_failed_total" in await exposed(house):
                break
        await handle.terminate()
