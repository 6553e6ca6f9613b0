"""Forms with files: read into memory, never onto the disk in clear, and as far as one may go."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from casework.attachments import LARGEST, attach
from casework.engine import EngineUnavailable
from casework.errors import BadInput, Conflict, TooLarge, Unsupported
from casework.finding import find_case
from casework.services import Services
from casework.viewer import Viewer
from models.database import DatabaseUnavailable
from routes.bodies import limited
from routes.fields import cleaned
from routes.uploads import MULTIPART
from routes.wording import RULES, fault_words, problem_words
from rules.case.typed import Typed

FILES = "files"
# Room for the ten files that a case may have at most; more than one page sends at a counter.
MOST_BYTES = 10 * LARGEST + 1024 * 1024
_NAME = Typed(1, 100)
_UNNUMBERED = "办件尚未取得编号，请在编号后到办件页补传"


class _InMemory(MultiPartParser):
    spool_max_size = MOST_BYTES


class FormRequest(Request):
    """A request whose multipart form is read once, within bounds. `form` raises `TooLarge`, `BadInput`."""

    _read: FormData | None = None

    async def form(self, **options: Any) -> FormData:  # type: ignore[override]
        """Return the form."""
        if self._read is None:
            stream = limited(self.stream(), MOST_BYTES)
            parser = _InMemory(self.headers, stream, max_files=50, max_fields=500)  # type: ignore[arg-type]
            try:
                self._read = await parser.parse()
            except (MultiPartException, KeyError, UnicodeDecodeError) as error:
                raise BadInput({"body": "unreadable"}) from error
        return self._read


class FormRoute(APIRoute):
    """A route that gets a `FormRequest` where files may come along."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if request.headers.get("content-type", "").lower().startswith(MULTIPART):
                request = FormRequest(request.scope, request.receive)
            return await handler(request)

        return handle


@dataclass(frozen=True)
class Refused:
    """A file that the case does not have, and why."""

    name: str
    words: str


def chosen(form: FormData) -> list[UploadFile]:
    """Return the files of a form; a field where none was chosen sends an empty one without a name."""
    return [each for each in form.getlist(FILES) if isinstance(each, UploadFile) and each.filename]


def name_of(file: UploadFile) -> str:
    """Return the name of a file, without the folders that some browsers send along."""
    return (file.filename or "").replace("\\", "/").rsplit("/", 1)[-1]


async def attach_all(
    services: Services,
    viewer: Viewer,
    case: Mapping[str, Any],
    files: Sequence[UploadFile],
    key: str | None = None,
) -> list[Refused]:
    """Add files to a case (`id`, `number`); return those that were refused. Raises nothing.

    With the `key` of a form, the same file of the same form is added once, however often it is sent.
    """
    refused = []
    for file in files:
        if words := await _refusal(services, viewer, case, file, key):
            refused.append(Refused(name_of(file), words))
    return refused


async def _refusal(
    services: Services, viewer: Viewer, case: Mapping[str, Any], file: UploadFile, key: str | None
) -> str | None:
    """Attach one file; return why that was not possible."""
    if case["number"] is None:
        return _UNNUMBERED
    if (file.size or 0) > LARGEST:
        return "超过 20 MB"
    try:
        found = await find_case(services, viewer, case["id"])
        await attach(services, viewer, found, cleaned(name_of(file), _NAME), await file.read(), key)
    except Unsupported:
        return problem_words("unsupported-media-type")[1]
    except TooLarge:
        return problem_words("too-large")[1]
    except Conflict as refusal:
        return RULES.get(str(refusal.extra.get("rule"))) or problem_words(refusal.slug)[1]
    except EngineUnavailable:
        return problem_words("engine-unavailable")[1]
    except DatabaseUnavailable:
        return problem_words("database-unavailable")[1]
    except ValueError as error:  # its name
        return f"文件名{fault_words(getattr(error, 'type', 'string_type'))}"
    return None
