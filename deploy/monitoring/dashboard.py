"""Writes our Grafana dashboard: `python deploy/monitoring/dashboard.py`. A test holds the two together.

What every process reads the same from the database is shown as the maximum over them, what each has
measured itself as a sum.
"""

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "grafana" / "dashboards" / "bancheng.json"
SOURCE = {"type": "prometheus", "uid": "${source}"}
WIDTH, HEIGHT = 24, 8
LIGHTS = {"green": "green", "yellow": "yellow", "red": "red", "grey": "text"}

Query = tuple[str, str]  # an expression, and how its series are called


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana imports it."""
    panels: list[dict[str, Any]] = []
    for title, row in ROWS:
        panels.append(
            {"type": "row", "title": title, "panels": [], "collapsed": False} | _place(panels, WIDTH, 1)
        )
        for panel in row:
            placed = _place(panels, panel["width"], HEIGHT)
            panels.append({name: panel[name] for name in panel if name != "width"} | placed)
    for number, panel in enumerate(panels, 1):
        panel["id"] = number
    return {
        "uid": "bancheng",
        "title": "办不成事窗口",
        "tags": ["bancheng"],
        "timezone": "Asia/Shanghai",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_source(), _hall()]},
        "panels": panels,
    }


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "数据源", "type": "datasource", "query": "prometheus"}


def _hall() -> dict[str, Any]:
    query = "label_values(bancheng_open_cases, hall)"
    chosen = {
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }
    return {
        "name": "hall",
        "label": "大厅",
        "type": "query",
        "datasource": SOURCE,
        "query": query,
        "refresh": 2,
    } | chosen


def _place(panels: list[dict[str, Any]], width: int, height: int) -> dict[str, Any]:
    """Put a panel beside the last one, or below all where there is no room."""
    last = panels[-1]["gridPos"] if panels else {"x": 0, "y": 0, "w": WIDTH, "h": 0}
    x = last["x"] + last["w"]
    if x + width > WIDTH or height != last["h"]:
        return {"gridPos": {"x": 0, "y": last["y"] + last["h"], "w": width, "h": height}}
    return {"gridPos": {"x": x, "y": last["y"], "w": width, "h": height}}


def _panel(
    kind: str, title: str, queries: tuple[Query, ...], unit: str, width: int, **more: Any
) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + index), "expr": expr, "legendFormat": legend, "datasource": SOURCE}
        for index, (expr, legend) in enumerate(queries)
    ]
    defaults = {"unit": unit, "min": 0} | more.pop("defaults", {})
    config = {"defaults": defaults, "overrides": more.pop("overrides", [])}
    return {
        "type": kind,
        "title": title,
        "datasource": SOURCE,
        "targets": targets,
        "fieldConfig": config,
        "width": width,
    }


def _lines(title: str, *queries: Query, unit: str = "short", width: int = 8, **more: Any) -> dict[str, Any]:
    return _panel("timeseries", title, queries, unit, width, **more)


def _number(title: str, expr: str, worst: float, unit: str = "short", width: int = 4) -> dict[str, Any]:
    """A number that turns red from `worst` on."""
    steps = [{"color": "green", "value": None}, {"color": "red", "value": worst}]
    defaults = {"thresholds": {"mode": "absolute", "steps": steps}}
    return _panel("stat", title, ((expr, ""),), unit, width, defaults=defaults)


def _colours() -> list[dict[str, Any]]:
    return [
        {
            "matcher": {"id": "byName", "options": light},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
        }
        for light, colour in LIGHTS.items()
    ]


def _quantile(share: float, bucket: str, by: str = "", within: str = "5m") -> str:
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({bucket}[{within}])))"


OPEN = 'max by (hall, light) (bancheng_open_cases{hall=~"$hall"})'
RECORD = 'bancheng_activity_duration_seconds_bucket{activity=~"record|register"}'
FAILED = 'bancheng_activity_duration_seconds_count{outcome="failed"}'
ROWS: list[tuple[str, list[dict[str, Any]]]] = [
    (
        "现在",
        [
            _number("未触发的到期事项", "max(bancheng_alarms_overdue_oldest_seconds)", 60, "s"),
            _number("未取得编号的登记", "max(bancheng_filings_unregistered)", 1),
            _number("无答复的操作", "max(bancheng_commands_unanswered)", 10),
            _number("逾期报告", "sum(max by (kind) (bancheng_reports_late))", 1),
            _number("封签逾期", "max(bancheng_heads_late_seconds)", 3600, "s"),
            _number("未就绪的部分", "sum(1 - min by (part) (bancheng_ready))", 1),
        ],
    ),
    (
        "办件",
        [
            _lines(
                "在办件（按灯）", (f"sum by (light) ({OPEN})", "{{light}}"), overrides=_colours(), width=12
            ),
            _lines("在办件（按大厅）", (f"sum by (hall) ({OPEN})", "{{hall}}"), width=12),
            _lines(
                "到期事项触发（每小时）",
                ("sum by (alarm) (increase(bancheng_alarm_lateness_seconds_count[1h]))", "{{alarm}}"),
                width=12,
            ),
            _lines(
                "到期事项晚了多久",
                (_quantile(0.5, "bancheng_alarm_lateness_seconds_bucket", within="15m"), "P50"),
                (_quantile(0.99, "bancheng_alarm_lateness_seconds_bucket", within="15m"), "P99"),
                unit="s",
                width=12,
            ),
        ],
    ),
    (
        "台账与证据",
        [
            _lines(
                "台账写入用时", (_quantile(0.5, RECORD), "P50"), (_quantile(0.95, RECORD), "P95"), unit="s"
            ),
            _lines(
                "失败的活动",
                (
                    f"sum by (activity) (rate({FAILED}[5m]))",
                    "{{activity}}",
                ),
                unit="ops",
            ),
            _lines(
                "最久的等待",
                ("max(bancheng_filings_unregistered_oldest_seconds)", "登记"),
                ("max(bancheng_commands_unanswered_oldest_seconds)", "操作"),
                ("max(bancheng_facts_waiting_oldest_seconds)", "统计数据"),
                ("max(bancheng_reports_late_oldest_seconds)", "报告"),
                unit="s",
            ),
            _number("核验结果", "1 - min(bancheng_ledger_check_ok)", 1),
            _number("距上次核验", "max(bancheng_ledger_check_age_seconds)", 172_800, "s"),
            _number("未送出的封签", "max(bancheng_heads_unpublished)", 1),
            _number("待导出的历史", "max(bancheng_histories_waiting)", 100),
            _number("丢失的历史", "max(bancheng_histories_lost)", 1),
        ],
    ),
    (
        "通知",
        [
            _lines(
                "未送出的通知",
                ("max by (channel, status) (bancheng_notifications_unsent)", "{{channel}} {{status}}"),
                width=12,
            ),
            _lines(
                "送出用时",
                (
                    _quantile(0.95, 'bancheng_activity_duration_seconds_bucket{activity="deliver"}'),
                    "P95",
                ),
                unit="s",
                width=12,
            ),
        ],
    ),
    (
        "请求与进程",
        [
            _lines("请求", ("sum by (status) (rate(http_requests_total[5m]))", "{{status}}"), unit="reqps"),
            _lines(
                "请求用时",
                (_quantile(0.5, "http_request_duration_highr_seconds_bucket"), "P50"),
                (_quantile(0.95, "http_request_duration_highr_seconds_bucket"), "P95"),
                unit="s",
            ),
            _lines("读取指标用时", ("max(bancheng_gauges_read_seconds)", "秒"), unit="s"),
            _lines("内存", ("process_resident_memory_bytes", "{{job}} {{instance}}"), unit="bytes"),
            _lines(
                "处理器", ("rate(process_cpu_seconds_total[5m])", "{{job}} {{instance}}"), unit="percentunit"
            ),
            _lines("版本", ("count by (version) (bancheng_build_info)", "{{version}}")),
        ],
    ),
    (
        "流程引擎",
        [
            _lines(
                "流程任务等待（P95）",
                (_quantile(0.95, "temporal_workflow_task_schedule_to_start_latency_seconds_bucket"), "等待"),
                (_quantile(0.95, "temporal_workflow_task_execution_latency_seconds_bucket"), "执行"),
                unit="s",
            ),
            _lines(
                "引擎请求用时（P95）",
                (_quantile(0.95, "temporal_request_latency_seconds_bucket", "operation"), "{{operation}}"),
                unit="s",
            ),
            _lines(
                "缓存的办件与空闲槽位",
                ("sum by (instance) (temporal_sticky_cache_size)", "{{instance}} 缓存"),
                ("sum by (worker_type) (temporal_worker_task_slots_available)", "{{worker_type}} 空闲"),
            ),
        ],
    ),
]


def text() -> str:
    """Return the file as it should be."""
    return json.dumps(dashboard(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
