"""What verifying found, in words for people: at the API, on pages, in the dossier, at the command line."""

from collections.abc import Iterable, Mapping
from typing import Any

from casework.case_verifying import CaseReport
from casework.findings import Finding
from rules.calendar import local

_WORDS: Mapping[str, str] = {
    "event_missing": "第 {seq} 条记录缺失",
    "event_unlinked": "第 {seq} 条记录与前一条不衔接",
    "event_changed": "第 {seq} 条记录被改动",
    "events_cut": "自第 {seq} 条起的记录被截去(应有 {last} 条)",
    "event_unknown": "第 {seq} 条记录不在办件现状之内，疑为插入",
    "case_missing": "整件记录不见了，而 {day} 的台账封签(第 {head} 号)载有此件",
    "case_unknown": "有记录而没有这个办件",
    "rewritten": "第 {seq} 条记录与{anchor}不符：第 {from} 条至第 {seq} 条之间的记录被改写",
    "shortened": "记录被截短：{anchor}载有第 {held} 条，现只到第 {last_seq} 条",
    "act_missing": "{item_words}的第 {seq} 条处理记录缺失",
    "act_unlinked": "{item_words}的第 {seq} 条处理记录与前一条不衔接",
    "act_changed": "{item_words}的第 {seq} 条处理记录被改动",
    "acts_cut": "{item_words}自第 {seq} 条起的处理记录被截去(应有 {last} 条)",
    "act_unknown": "{item_words}的第 {seq} 条处理记录不在其现状之内，疑为插入",
    "acts_end_otherwise": "{item_words}的处理记录到第 {seq} 条为止，与其现状不符：被截去、改写或插入",
    "acts_of_nothing": "有{item_words}的处理记录而没有这一份",
    "acts_elsewhere": "{item_words}所载的办件与其处理记录不符",
    "acts_missing": "{item_words}的全部处理记录不见了，而 {day} 的台账封签(第 {head} 号)载有",
    "acts_rewritten": "{item_words}的第 {seq} 条处理记录与{anchor}不符：第 {from} 条至第 {seq} 条之间被改写",
    "acts_shortened": "{item_words}的处理记录被截短：{anchor}载有第 {held} 条，现只到第 {last_seq} 条",
    "history_replaced": "运行 {run} 的导出历史与台账封签不符",
    "access_log_changed": "访问日志第 {seq} 行被改动或不衔接",
    "access_log_rewritten": "访问日志第 {seq} 行与台账封签不符",
    "access_log_shortened": "访问日志第 {seq} 行不见了，而台账封签载有它",
    "head_missing": "台账封签第 {head} 号缺失",
    "head_changed": "{anchor}被改动",
    "head_unsigned": "{anchor}的签名无效",
    "head_key_unknown": "{anchor}由不认识的密钥签名",
    "head_unlinked": "{anchor}与前一个不衔接",
    "head_leaves": "{anchor}与其所载明细不符",
    "head_differs": "数据库中的{anchor}与此前发布的不一致：它或更早的锚点所覆盖的记录被改写",
    "history_lost": "运行 {run} 的流程历史在导出前已不存在，无法回放",
    "history_missing": "运行 {run} 的导出历史文件不见了",
    "history_changed": "运行 {run} 的导出历史文件被改动",
    "history_erased": "运行 {run} 的流程历史已随个人信息清除，无法回放",
    "not_deterministic": "运行 {run} 的流程历史不能用现行流程重演({error})",
    "heard_otherwise": "第 {seq} 条记录与流程历史所载不同",
    "decided_otherwise": "第 {seq} 条记录与现行流程重演的结果不同",
    "never_heard": "第 {seq} 条记录在流程历史中没有出现过",
    "file_changed": "文件 {file} 被改动",
    "file_missing": "文件 {file} 缺失",
    "file_unknown": "文件 {file} 不在清单之内",
    "unsigned": "清单 {file} 的签名无效",
    "key_unknown": "签名的密钥({key})不是所给的公钥",
    "unreadable": "文件 {file} 无法读取",
}
FOUND = frozenset(_WORDS)
_ITEMS = {"bulletin": "通报材料", "typical_case": "典型案例"}


def finding_words(finding: Finding) -> str:
    """Return what one finding says; whose case it is stands before it where it is told."""
    facts: dict[str, Any] = {"seq": finding.seq, **finding.facts}
    kind, _, number = facts.get("item", "").partition("/")
    facts["item_words"] = f"{_ITEMS.get(kind, kind)} {number}"
    stands = "其现状" if kind else "办件现状"
    facts["anchor"] = f"{facts['day']} 的台账封签(第 {facts['head']} 号)" if "day" in facts else stands
    facts["from"] = facts.get("after", 0) + 1
    facts["last_seq"] = (finding.seq or 1) - 1
    return _WORDS[finding.what].format_map(facts)


def report_words(report: CaseReport) -> str:
    """Return what came of verifying a case, in one text."""
    replay = () if report.only_erased else report.replay
    said = [*map(finding_words, report.ledger), *map(finding_words, replay)]
    if not report.ledger:
        said.append(f"台账 {report.events} 条记录环环相扣{acts_words(report)}")
    if report.only_erased:
        said.append(erased_words(report))
    elif not report.replay:
        said.append(f"流程历史 {report.runs} 段重演一致")
    if report.head:
        head = report.head.head
        said.append(f"最近一次台账封签：{head.day.isoformat()}(第 {head.number} 号)")
    else:
        said.append("尚无覆盖本件的台账封签")
    return "；".join(said) + "。"


def erased_words(report: CaseReport) -> str:
    """Return what is said of a case whose personal data was erased when its time was over."""
    on = f"已于 {local(report.erased_at):%Y-%m-%d} 清除" if report.erased_at else "已清除"
    return f"个人信息保存期满，{on}；{report.runs} 段流程历史随之删除，只留校验值，不再重演"


def acts_words(report: CaseReport) -> str:
    """Return what is said of the record of acts beside the ledger; nothing where there is none."""
    return f"，通报与典型案例的 {report.acts} 条处理记录也是" if report.acts else ""


def lines_of(findings: Iterable[Finding], numbers: Mapping[str, str]) -> Iterable[str]:
    """Return findings of a whole ledger, each with the number of its case, or its id where it has none."""
    for finding in findings:
        whose = f"{numbers.get(finding.case_id, finding.case_id)}:" if finding.case_id else ""
        yield whose + finding_words(finding)
