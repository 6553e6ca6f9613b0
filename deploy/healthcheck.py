"""Whether the process in this container does its work: exit 0 if so. Standard library only, as it runs often.

`healthcheck.py URL` wants an answer 200; `healthcheck.py URL METRIC` also a metric there above zero: a
worker that polls nothing is alive and of no use.
"""

import sys
import urllib.error
import urllib.request
from collections.abc import Sequence

WITHIN = 4.0  # seconds; the container's own time for a check is longer


def main(arguments: Sequence[str]) -> int:
    """Check, and say on one line what is wrong."""
    if not 1 <= len(arguments) <= 2:
        return _ill("usage: healthcheck.py URL [METRIC]")
    url, *metric = arguments
    try:
        with urllib.request.urlopen(url, timeout=WITHIN) as answer:
            text = answer.read().decode("utf-8", "replace")
    except (OSError, ValueError) as error:  # an answer that is no success is an OSError, too
        return _ill(f"{url}: {error}")
    if metric and not _total(text, metric[0]) > 0:
        return _ill(f"{url}: {metric[0]} is not above zero")
    return 0


def _total(text: str, metric: str) -> float:
    """Return the sum of a metric over all its labels."""
    lines = (line for line in text.splitlines() if line.startswith((f"{metric} ", f"{metric}{{")))
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def _ill(why: str) -> int:
    print(why, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
