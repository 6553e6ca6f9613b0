"""The namespace on the cluster: whether it is there, and how long it keeps closed histories."""

from dataclasses import dataclass
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

# Our own export runs within minutes; the rest is for a worker that was down, and for looking back.
RETENTION = timedelta(days=90)
WITHIN = timedelta(seconds=10)


@dataclass(frozen=True)
class Namespace:
    """What a cluster says of a namespace; `retention` is None where there is no such namespace."""

    name: str
    retention: timedelta | None

    @property
    def sound(self) -> bool:
        """Whether it is there and keeps closed histories long enough."""
        return self.retention is not None and self.retention >= RETENTION


async def look_at(client: Client) -> Namespace:
    """Return what the cluster says of the client's namespace. Raises `RPCError`."""
    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        found = await client.workflow_service.describe_namespace(request, timeout=WITHIN)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return Namespace(client.namespace, None)
        raise
    return Namespace(client.namespace, found.config.workflow_execution_retention_ttl.ToTimedelta())


async def prepare(client: Client) -> Namespace:
    """Make the namespace where it is missing, and never shorten what it keeps. Raises `RPCError`.

    A new namespace takes some seconds until every part of a cluster knows it.
    """
    found = await look_at(client)
    kept = Duration()
    kept.FromTimedelta(RETENTION)
    service = client.workflow_service
    if found.retention is None:
        new = RegisterNamespaceRequest(
            namespace=client.namespace,
            description="办不成事窗口",
            workflow_execution_retention_period=kept,
        )
        try:
            await service.register_namespace(new, timeout=WITHIN)
        except RPCError as error:  # another process was quicker
            if error.status is not RPCStatusCode.ALREADY_EXISTS:
                raise
    elif not found.sound:
        config = NamespaceConfig(workflow_execution_retention_ttl=kept)
        await service.update_namespace(
            UpdateNamespaceRequest(namespace=client.namespace, config=config), timeout=WITHIN
        )
    return await look_at(client)
