"""What the commands for keys say names everything that stands under a key."""

from announcing_keys import _COLUMNS, key_lines, rotated_lines
from casework.key_rotation import ACTS, FIRST, HISTORIES, RUNS, KeyStatus, KeyUse
from casework.sealed_columns import COLUMNS

NAMES = [column.name for column in COLUMNS]


def test_every_sealed_column_has_words() -> None:
    assert set(_COLUMNS) == {*NAMES, ACTS, HISTORIES, RUNS}
    assert len(set(_COLUMNS.values())) == len(_COLUMNS), "one word for two things"


def test_a_house_in_which_everything_is_in_use_is_told_of() -> None:
    use = KeyUse("k1", FIRST, counts=dict.fromkeys([*NAMES, ACTS, HISTORIES, RUNS], 2))
    said = "\n".join(key_lines(KeyStatus([use], [])))
    assert "发送地址 2" in said and "待导入行 2" in said
    assert len(list(rotated_lines(dict.fromkeys(NAMES, 1)))) == len(NAMES)
