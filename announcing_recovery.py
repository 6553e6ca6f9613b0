"""What the commands for backups and moves say to people, in Chinese."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from casework.archive import BadArchive, Manifest
from casework.restoring import NewerBackup, NotEmpty, Restored
from rules.calendar import local

_DAMAGE = {
    "cut_short": "文件不完整，或不是备份",
    "no_manifest": "没有清单，不是备份",
    "other_format": "备份格式不同",
    "bad_name": "名称不合规",
    "missing": "缺少该项",
    "not_named": "清单上没有该项",
    "twice": "有重复的项",
    "damaged": "已损坏",
    "differs": "与清单不符",
    "unreadable": "无法读取",
}


def backup_lines(manifest: Manifest, file: Path, keys: Path | None) -> Iterator[str]:
    """Say what was backed up, and where the keys are."""
    rows = sum(table.rows for table in manifest.tables)
    yield f"已备份到 {file}:{len(manifest.tables)} 张表、{rows} 行、{len(manifest.files)} 个文件。"
    for path in manifest.missing:
        yield f"! 文件不在了：{path}"
    if keys is None:
        yield "密钥不在备份中：没有密钥，备份打不开。可用 --keys 另存密钥，并与备份分开保管。"
    else:
        yield f"密钥已写到 {keys}:请与备份分开保管。"


def restored_lines(restored: Restored, verified: Iterable[str]) -> Iterator[str]:
    """Say what was restored; `verified` are the lines of what verifying it found."""
    manifest = restored.manifest
    taken_at = local(datetime.fromisoformat(manifest.taken_at))
    rows = sum(table.rows for table in manifest.tables)
    yield f"已恢复 {taken_at:%Y-%m-%d %H:%M:%S} 的备份：{rows} 行、{len(manifest.files)} 个文件。"
    yield from verified
    for path in restored.bad_files:
        yield f"! 文件缺失或不符：{path}"
    yield "在办件的流程会在下次启动时由台账重新开始，已到期的随即处理。所有人需重新登录。"


def refused_restore(error: BadArchive | NewerBackup | NotEmpty) -> str:
    """Say why nothing was restored."""
    match error:
        case BadArchive():
            where = f"{error.member} " if error.member else ""
            return f"备份有误：{where}{_DAMAGE[error.reason]}。未做任何改动。"
        case NewerBackup():
            return f"备份来自更新的版本(结构 {error.revision})：请先升级本系统。未做任何改动。"
        case NotEmpty():
            return f"只能恢复到空系统，这里已有 {error.what}。未做任何改动。"
