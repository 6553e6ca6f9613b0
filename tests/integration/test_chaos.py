"""Kill -9 of every process under load, then the account: `benchmarks/chaos.py` in its short forms."""

from pathlib import Path

import pytest

from benchmarks.chaos import chaos, parser, sound

SHORT = "--cases 20 --kills 6 --pause 1 --wave 8 --workers 1 --quick"
LONG = "--cases 150 --kills 40 --pause 3 --wave 30"


@pytest.mark.postgres
@pytest.mark.parametrize(
    "form",
    [
        pytest.param(SHORT, id="short", marks=pytest.mark.timeout(300)),
        pytest.param(LONG, id="long", marks=[pytest.mark.drill, pytest.mark.timeout(900)]),
    ],
)
async def test_kills_at_random_under_load_lose_double_and_miss_nothing(form: str, tmp_path: Path) -> None:
    options = parser().parse_args(form.split())
    print(f"seed {options.seed}")
    figures = await chaos(options, tmp_path)
    assert figures["cases"] == options.cases
    assert figures["kills"] == options.kills
    assert figures["alarms"] > options.cases / 3
    assert sound(figures), figures
