"""JSON bodies, read by hand: only after 401, 404 and 403 is a body looked at (contract.md).

The OpenAPI document shows them all the same: `openapi_extra=body_of(Model)` on the route.
"""

from collections.abc import AsyncIterator
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError

from casework.errors import BadInput, TooLarge
from routes.problems import validation_faults

# A text of a megabyte gets a 422 that names its field; what is far above is not even read.
LARGEST_BODY = 8 * 1024 * 1024  # bytes
DRAINED = 8  # times the limit: so much of a body is still taken off the wire

Model = TypeVar("Model", bound=BaseModel)
DOCUMENTED: dict[str, type[BaseModel]] = {}
"""Models that `body_of` referred to, by the name of their schema."""


class Body(BaseModel):
    """Parent of every body: no unknown fields, no guessing of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


async def read_body(request: Request, model: type[Model]) -> Model:
    """Return the body, typed. Raises `BadInput` naming every fault, `TooLarge`."""
    raw = await raw_body(request)
    try:
        return model.model_validate_json(raw or b"{}")
    except ValidationError as error:
        raise BadInput(dict(validation_faults(error.errors(include_url=False)))) from error


async def raw_body(request: Request, largest: int = LARGEST_BODY) -> bytes:
    """Return the bytes of the body. Raises `TooLarge`."""
    return b"".join([chunk async for chunk in limited(request.stream(), largest)])


async def limited(stream: AsyncIterator[bytes], largest: int) -> AsyncIterator[bytes]:
    """Pass the chunks of a body on; one of more than `largest` bytes raises `TooLarge`.

    The rest is read and thrown away, up to a bound: who still sends when the connection is closed
    gets a broken pipe instead of the answer.
    """
    size = 0
    async for chunk in stream:
        size += len(chunk)
        if size <= largest:
            yield chunk
        elif size > DRAINED * largest:
            break
    if size > largest:
        raise TooLarge(largest)


def body_of(
    model: type[BaseModel], media_type: str = "application/json", *, required: bool = True
) -> dict[str, Any]:
    """Return what the OpenAPI document says of a body that is read by hand."""
    DOCUMENTED[model.__name__] = model
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": required, "content": {media_type: {"schema": schema}}}}
