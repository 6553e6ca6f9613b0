"""What the commands for keys say to people, in Chinese."""

from collections.abc import Iterator, Mapping

from casework.key_rotation import ACTS, FIRST, HISTORIES, OPENS, RETIRED, RUNS, UNKNOWN, KeyStatus, KeyUse
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
