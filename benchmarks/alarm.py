"""How late a lone alarm fires, beside a bare timer with one local activity.

    python benchmarks/alarm.py [--alarms 200] [--every 0.5]

Cases wait for their triage, each until an instant of its own; nobody comes, so that `triage_late` fires: one
every half a second, and a bare timer in the middle between two. Lateness is the time from when an alarm was
due to when its event says that it fired.
"""

import argparse
import asyncio
import statistics
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import timers
from benchmarks.closing import OPEN_ALL_DAY, set_hours
from benchmarks.lifecycle import HALL
from benchmarks.rig import Rig, parser_of, report

LIMIT = timedelta(hours=2)  # of the triage, in working time; the hall is open all day
ALARM = "triage_late"
STARTS = 12.0  # a second at the very least


async def measure(options: argparse.Namespace) -> None:
    """Let the alarms go off one by one and print how late they were."""
    async with Rig() as rig:
        await timers.prepared(rig)
        await set_hours(str(rig.database_url), HALL, OPEN_ALL_DAY)
        every = timedelta(seconds=options.every)
        first = datetime.now(UTC) + timedelta(seconds=20 + 2 * options.alarms / STARTS)
        due = [first + every * n for n in range(options.alarms)]
        await timers.start_bare(rig, [at + every / 2 for at in due])
        since = await timers.last_event(rig)
        ids = await timers.start_cases(rig, [at - LIMIT for at in due], triaged=False)
        print(f"all wait; the last one is due at {due[-1]:%H:%M:%S} UTC", flush=True)
        within = (due[-1] - datetime.now(UTC)).total_seconds() + 60
        await timers.counted_to(lambda: timers.fired(rig, ALARM, since), options.alarms, within)
        await timers.counted_to(lambda: timers.bare_fired(rig), options.alarms, 30)
        late, bare = await timers.lateness(rig, ALARM, ids), await timers.bare_lateness(rig)
    ours = [each for found in late.values() for each in found]
    if len(ours) != options.alarms:
        sys.exit(f"{len(ours)} of {options.alarms} alarms fired")
    figures = {
        "alarms": len(ours),
        "lateness_p99_s": round(timers.p99(ours), 3),
        "lateness_p50_s": round(statistics.median(ours), 3),
        "bare_lateness_p99_s": round(timers.p99(bare), 3),
    }
    rows = [
        ("lateness, s", "ours", "bare"),
        ("p50", f"{statistics.median(ours):.3f}", f"{statistics.median(bare):.3f}"),
        ("p99", f"{timers.p99(ours):.3f}", f"{timers.p99(bare):.3f}"),
        ("worst", f"{max(ours):.3f}", f"{max(bare):.3f}"),
    ]
    report(rows, figures)


def main() -> None:
    """Read the options and measure."""
    parser = parser_of(__doc__)
    parser.add_argument("--alarms", type=int, default=200, help="alarms (default 200)")
    parser.add_argument("--every", type=float, default=0.5, help="seconds between two (default 0.5)")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
