"""What the commands for keys, backups and moves say to people, in Chinese."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from casework.archive import BadArchive, Manifest
from casework.key_rotation import ACTS, FIRST, HISTORIES, OPENS, RETIRED, RUNS, UNKNOWN, KeyStatus, KeyUse
from casework.restoring import NewerBackup, NotEmpty, Restored
from rules.calendar import local

_ROLES = {
    FIRST: "加密用(第一把)",
    OPENS: "仅解密",
    RETIRED: "已退役(由数据库封存，仅解密)",
    UNKNOWN: "没有对应密钥",
}
_COLUMNS = {
    "case_secrets.wrapped_key": "办件密钥",
    "users.totp_secret": "二次验证",
    "kept_forms.fields": "暂存表单",
    "commands.answer": "命令回执",
    "report_files.content": "报告文件",
    "import_rows.form": "待导入行",
    "delivery_choices.addresses": "发送地址",
    "house_keys.wrapped": "系统密钥",
    ACTS: "行为记录(已入链，不改写)",
    HISTORIES: "导出历史(已签名，不改写)",
    RUNS: "运行中的流程",
}


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


def key_lines(status: KeyStatus) -> Iterator[str]:
    """Say which keys there are, what needs them, which process has them, and what to do."""
    for use in status.keys:
        since = f"，最近一次用于加密 {local(use.sealed_at):%Y-%m-%d %H:%M}" if use.sealed_at else ""
        yield f"{use.key_id or '(未知)'}:{_ROLES[use.role]}{since}"
        yield f"  {'；'.join(_counted(use)) or '无数据'}"
        yield from _advice(use, bool(status.behind))
    for holder in status.holders:
        yield f"进程 {holder.process}:加密用 {holder.sealing}，可解密 {holder.opening}"
    for holder in status.behind:
        yield f"! {holder.process} 仍用 {holder.sealing} 加密：请重启该进程，再运行 bancheng keys rotate。"


def _counted(use: KeyUse) -> Iterator[str]:
    for name, count in use.counts.items():
        if count is None:
            yield f"{_COLUMNS[name]} 未知(流程引擎无法连接)"
        elif count:
            yield f"{_COLUMNS[name]} {count}"


def _advice(use: KeyUse, behind: bool) -> Iterator[str]:
    if use.role == OPENS and not behind:
        if use.in_columns:
            yield "  尚未换完：请再次运行 bancheng keys rotate。"
        else:
            yield f"  数据已全部换到第一把密钥：可从 PAYLOAD_KEYS 删去 {use.key_id} 并重启各进程。"
    if use.role == RETIRED and not use.is_needed:
        yield f"  已不再需要：可运行 bancheng keys forget {use.key_id} 销毁。"
    if use.role == UNKNOWN:
        yield "  请把缺失的密钥加回 PAYLOAD_KEYS。"


def rotated_lines(moved: Mapping[str, int]) -> Iterator[str]:
    """Say what a rotation moved."""
    for name, count in moved.items():
        yield f"{_COLUMNS[name]}:已换 {count}"


def needed_words(use: KeyUse) -> str:
    """Say why a key can't be destroyed."""
    if use.role != RETIRED:
        return f"密钥 {use.key_id} 仍在设置中：请先轮换并从 PAYLOAD_KEYS 删去。"
    return f"密钥 {use.key_id} 仍被需要：{'；'.join(_counted(use))}。"


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
