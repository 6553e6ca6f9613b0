"""Reads what supervision is measured by, beside the policies: when a 通报 is serious."""

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from rules.bulletin import Seriousness, parse_seriousness

FOLDER, FILE = "oversight", "accountability.toml"


def read_seriousness(folder: Path | None) -> Seriousness:
    """Return the values of a policies folder; the packaged ones for None, or where it has no such file.

    Raises ValueError where the file is faulty.
    """
    place: Traversable = resources.files("policies") / FOLDER / FILE
    if folder is not None and (own := folder / FOLDER / FILE).is_file():
        place = own
    return parse_seriousness(place.read_text(encoding="utf-8"))
