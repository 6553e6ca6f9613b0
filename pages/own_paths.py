"""Where a page may lead on to: paths of ours, whatever the address or the form says."""


def own_path(path: str) -> str:
    """Return a path of ours; one that would lead elsewhere becomes the start page."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if plain and "\\" not in path else "/"
