"""The OpenAPI document, where FastAPI can't know it: problem JSON, and bodies read by hand."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from routes.bodies import DOCUMENTED
from routes.problems import Problem

_REF = "#/components/schemas/{model}"
_MEANINGS = {
    401: "没有登录，或登录已失效",
    403: "角色或范围无权",
    404: "没有这项内容，或不可见",
    409: "目前的状态不允许；`case_status` 与 `allowed` 说明现状",
    413: "内容过大",
    415: "不支持的文件类型",
    422: "输入有误，逐项列出",
    429: "过于频繁，见 Retry-After",
    503: "引擎或数据库无法连接，见 Retry-After",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what the document says of these statuses, for `responses=` of a route or router.

    401, 422 and 503 can come from any route that somebody signed in calls: they are always there.
    """
    schema = {"schema": {"$ref": _REF.format(model=Problem.__name__)}}
    return {
        status: {
            "description": _MEANINGS[status],
            "content": {"application/problem+json": schema},
        }
        for status in sorted({401, 422, 503, *statuses})
    }


def public_refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the same for a route that needs no sign-in."""
    return {status: said for status, said in refusals(*statuses).items() if status != 401 or 401 in statuses}


def install_openapi(app: FastAPI) -> None:
    """Have the app serve the completed document of the routes that it has by now: pages come after."""
    routes = [*app.routes]

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(app, routes)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _completed(app: FastAPI, routes: Sequence[BaseRoute]) -> dict[str, Any]:
    made = get_openapi(title=app.title, version=app.version, description=app.description, routes=routes)
    models: list[type[BaseModel]] = [Problem, *DOCUMENTED.values()]
    _, defined = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    # Ours is the only error there is: the framework's own schemas would say otherwise.
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas.update(defined["$defs"])
    return made
