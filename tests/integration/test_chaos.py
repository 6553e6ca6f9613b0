"""Kill -9 of every process under load, then the account: `benchmarks/chaos.py` in its short form."""

from pathlib import Path

import pytest

from benchmarks.chaos import chaos, parser, sound

SHORT = "--cases 20 --kills 6 --pause 1 --wave 8 --workers 1 --quick"


@pytest.mark.postgres
@pytest.mark.timeout(300)
async def test_kills_at_random_under_load_lose_double_and_miss_nothing(tmp_path: Path) -> None:
    options = parser().parse_args(SHORT.split())
    print(f"seed {options.seed}")
    figures = await chaos(options, tmp_path)
    assert figures["cases"] == options.cases
    assert figures["kills"] == options.kills
    assert figures["alarms"] > options.cases / 3
    assert sound(figures), figures
