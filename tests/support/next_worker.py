"""The worker of a release to come, for the upgrade drill.

Run as `python -m tests.support.next_worker GATES`; gates are those of `tests.support.crashing_worker`.
"""

import worker
from tests.support.crashing_worker import main
from tests.support.next_release import NextCase

if __name__ == "__main__":
    worker.CaseWorkflow = NextCase  # type: ignore[misc, attr-defined]
    main()
