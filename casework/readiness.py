"""What an installation stands on, part by part: is it sound, and if not, what to do.

The names are stable; the words are for people. A part that is not required is told and fails nothing:
a process that has no workers beside it still takes filings.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeTaskQueueRequest
from temporalio.service import RPCError, RPCStatusCode

from casework.engine import EngineUnavailable
from casework.erasure_due import unread_policies
from casework.services import Services
from models.crypto import CaseKey
from models.database import DatabaseUnavailable
from models.filing import CaseSecret
from models.migrate import newest_revision, revision_of
from workflows.queues import CASES, QUEUES

WITHIN = 3.0  # seconds; an orchestrator asks again soon, and waits no longer than 4
RPC_WITHIN = timedelta(seconds=2)
POLLED_WITHIN = timedelta(minutes=2)  # a poll is kept open for a minute
# Below either, the disk counts as nearly full. Alerts warn long before: by ratio alone, from the metrics.
FREE_RATIO, FREE_BYTES = 0.02, 1_000_000_000
OK = "ok"


@dataclass(frozen=True)
class Part:
    """One part: `state` is `ok` or a word for machines, `detail` says it to people."""

    name: str
    ok: bool
    detail: str
    state: str = OK
    required: bool = True


async def readiness(services: Services) -> list[Part]:
    """Return every part, in the order in which to mend them. Never raises."""
    database, engine = await asyncio.gather(_database(services), _engine(services))
    rest: list[Part] = []
    if database.ok:
        rest += [await _guarded("schema", _schema, services), await _guarded("keys", _keys, services)]
        rest.append(await _guarded("retention", _retention, services, required=False))
    if engine.ok:
        rest.append(await _guarded("namespace", _namespace, services))
        for queue in QUEUES:
            rest.append(await _guarded(_workers_of(queue), polled(queue), services, required=False))
    return [database, engine, *rest, _disk(services.attachments)]


async def _guarded(
    name: str, look: Callable[[Services], Awaitable[Part]], services: Services, *, required: bool = True
) -> Part:
    """Look at one part; what cannot be looked at is not sound."""
    try:
        async with asyncio.timeout(WITHIN):
            return await look(services)
    except (DatabaseUnavailable, SQLAlchemyError, EngineUnavailable, RPCError, TimeoutError) as error:
        state = f"unknown: {type(error).__name__}"
        return Part(name, False, "暂时无法检查，请稍后再看。", state, required)


async def _database(services: Services) -> Part:
    try:
        async with asyncio.timeout(WITHIN):
            await services.database.ping()
    except (DatabaseUnavailable, TimeoutError) as error:
        detail = "数据库暂时无法连接：请检查数据库进程、网络与 BANCHENG_DATABASE_URL。"
        return Part("database", False, detail, f"unreachable: {type(error).__name__}")
    return Part("database", True, "数据库可用。")


async def _engine(services: Services) -> Part:
    try:
        async with asyncio.timeout(WITHIN):
            state = OK if await services.engine.reachable() else "unreachable"
    except TimeoutError:
        state = "unreachable: TimeoutError"
    if state == OK:
        return Part("engine", True, "流程引擎可用。")
    detail = "流程引擎暂时无法连接：请检查 Temporal 与 BANCHENG_TEMPORAL_ADDRESS。"
    return Part("engine", False, detail, state)


async def _schema(services: Services) -> Part:
    newest = await asyncio.to_thread(newest_revision)
    there = await services.database.look(revision_of)
    if there == newest:
        return Part("schema", True, f"数据库结构为 {newest}。")
    detail = f"数据库结构为 {there or '空'}，程序需要 {newest}：请运行 bancheng migrate。"
    return Part("schema", False, detail, f"revision {there}, needed {newest}")


async def _keys(services: Services) -> Part:
    """The oldest and the newest key of a case open: neither a new nor an old key of ours is missing."""

    def ends(session: Session) -> list[CaseSecret]:
        order = col(CaseSecret.case_id)
        wanted = (select(CaseSecret).order_by(by).limit(1) for by in (order, order.desc()))
        return [row for query in wanted for row in session.exec(query)]

    try:
        for row in await services.database.look(ends):
            CaseKey.unwrap(services.keyring, row.case_id, row.wrapped_key)
    except ValueError:  # UnsealError among them
        detail = "已有数据无法用现有密钥打开：请检查 BANCHENG_PAYLOAD_KEYS 是否缺少旧密钥。"
        return Part("keys", False, detail, "a key is missing")
    return Part("keys", True, "密钥可用。")


async def _retention(services: Services) -> Part:
    """Without its file nobody knows for how long the cases of a policy are kept: none is erased."""
    async with services.database.read() as session:
        unread = await unread_policies(session, services)
    if not unread:
        return Part("retention", True, "办件保存期均可读取。", required=False)
    names = "、".join(unread)
    detail = f"没有读到 {names} 的政策文件，其办件到期不清除：请检查 BANCHENG_POLICIES_DIR。"
    return Part("retention", False, detail, "a policy is missing", required=False)


async def _namespace(services: Services) -> Part:
    client = await services.engine.client()
    try:
        await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace), timeout=RPC_WITHIN
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        detail = f"流程引擎没有命名空间 {client.namespace}：请先创建，或检查 BANCHENG_TEMPORAL_NAMESPACE。"
        return Part("namespace", False, detail, "missing")
    return Part("namespace", True, f"命名空间 {client.namespace} 可用。")


def _workers_of(queue: str) -> str:
    return "workers" if queue == CASES else f"{queue}_workers"


def polled(queue: str) -> Callable[[Services], Awaitable[Part]]:
    """Return the look at whether anybody works at a task queue."""
    kind = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
    if queue != CASES:  # workflows are taken from that one alone
        kind = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    name = _workers_of(queue)

    async def look(services: Services) -> Part:
        client = await services.engine.client()
        request = DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
        )
        try:
            found = await client.workflow_service.describe_task_queue(request, timeout=RPC_WITHIN)
        except RPCError as error:
            if error.status is not RPCStatusCode.UNIMPLEMENTED:
                raise
            return Part(name, True, "此引擎不提供这项信息。", required=False)
        since = await services.wall.now() - POLLED_WITHIN
        if any(each.last_access_time.ToDatetime(UTC) > since for each in found.pollers):
            return Part(name, True, f"队列 {queue} 有工作进程。", required=False)
        detail = f"队列 {queue} 没有工作进程：请启动 bancheng worker。排在其中的事会保留，但不会推进。"
        return Part(name, False, detail, "nobody polls", required=False)

    return look


def _disk(folder: Path) -> Part:
    return disk_part(*disk_of(folder))


def disk_of(folder: Path) -> tuple[int, int]:
    """Return the size of the disk that a folder lies, or would lie, on, and what is free for us, in bytes."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    usage = shutil.disk_usage(there)
    return usage.total, usage.free


def disk_part(total: int, free: int) -> Part:
    """Return whether there is room left, in bytes of the disk that DATA_DIR lies on."""
    left = f"{free // 1_000_000_000} GB" if free >= FREE_BYTES else f"{free // 1_000_000} MB"
    if free < FREE_BYTES or free < total * FREE_RATIO:
        detail = f"数据目录所在磁盘只剩 {left}：请尽快清理或扩容，写满后无法登记。"
        return Part("disk", False, detail, "nearly full", required=False)
    return Part("disk", True, f"磁盘剩余 {left}。", required=False)
