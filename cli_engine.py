"""`bancheng engine …`: whether the cluster that the settings name is fit for cases, and making it so."""

from typing import TYPE_CHECKING, Annotated

import typer

from console import fail, group, read_settings, with_services
from workflows.queues import QUEUES

if TYPE_CHECKING:
    from casework.namespace import Namespace
    from casework.services import Services

engine = group("The Temporal cluster: its namespace, and how long it keeps histories.")

QueueOption = Annotated[
    list[str] | None,
    typer.Option("--queue", help=f"Work on this queue only; may be repeated. One of {', '.join(QUEUES)}."),
]


@engine.command("check")
def check() -> None:
    """Say where the cluster is and whether its namespace is as cases need it; ends with 1 if not."""
    found = with_services(_looked_at)
    _print(found)
    if not found.sound:
        fail("命名空间不符合要求：运行 bancheng engine prepare。")


@engine.command("prepare")
def prepare() -> None:
    """Make the namespace where it is missing, and lengthen its retention where that is too short."""
    _print(with_services(_prepared))


async def _looked_at(services: "Services") -> "Namespace":
    from casework.engine import outages
    from casework.namespace import look_at

    with outages():
        return await look_at(await services.engine.client())


async def _prepared(services: "Services") -> "Namespace":
    from casework.engine import outages
    from casework.namespace import prepare

    with outages():
        return await prepare(await services.engine.client())


def _print(found: "Namespace") -> None:
    settings = read_settings()
    how = "mTLS" if settings.temporal_tls_client_cert else "TLS" if settings.temporal_tls() else "无 TLS"
    print(f"集群：{settings.temporal_address or '随附引擎'}({how})")
    kept = "不存在" if found.retention is None else f"已结束流程保留 {found.retention.days} 天"
    print(f"命名空间：{found.name},{kept}")
