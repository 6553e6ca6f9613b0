"""The twelve worked cases: every time that the procedure promises, told by the decider.

Source: the worked cases of the specification (invented, plausible; no real persons). National
calendar of 2026; hours 09:00-12:00 and 13:30-17:30.
"""

from collections.abc import Callable
from datetime import timedelta
from statistics import mean, median
from typing import NamedTuple

import pytest

from rules.case.state import CaseState
from rules.case.vocabulary import Ground, Kind, Outcome
from rules.holding import stretches, working_hours
from tests.support.cases import NATIONAL, Story, dispatched, handled, leader, shown, t, told

SATISFIED = dict(reached=True, rating=4)
VERY_SATISFIED = dict(reached=True, rating=5)


def case_1() -> Story:
    """【桂林·即办】个体户周某注销,窗口要求重复提交已共享证件."""
    story = dispatched("03-09 09:20", "simple", "market", cause="mechanical_application")
    story.give("sign", "03-09 10:00").give("inform", "03-09 11:00")
    return told(story, "03-10 15:00").give("revisit", "03-11 10:00", **VERY_SATISFIED).give("archive")


def case_2() -> Story:
    """【桂林·承诺·分管领导】某餐饮店食品许可被退三次."""
    story = handled("04-02 10:10", "commitment", "market").give("mark_unable", "04-07 10:00")
    story.give("coordinate", "04-08 09:30").until("04-09 16:00")
    return told(story, "04-09 16:00").give("revisit", "04-10 10:00", **SATISFIED).give("archive")


def case_3() -> Story:
    """【城中·咨询】吴某问居住证续签材料;当场答复."""
    return dispatched("05-08 10:00", "consultation", hall="chengzhong").until("12-31 12:00")


def case_4() -> Story:
    """【桂林·范围外】邻里噪声;当日告知社区及 12345 地址电话."""
    return dispatched("03-16 09:40", "out_of_scope").until("12-31 12:00")


def case_5() -> Story:
    """【城中·会商】"宠物殡葬"经营范围,目录无明确分类;主办市场监管,协办民政、农业."""
    story = handled("04-29 15:00", "commitment", "market", "chengzhong", calendar=NATIONAL)
    story.give("convene", "05-07 09:30", co_units=("civil", "agriculture"), at="05-07 15:00")
    story.give("opine", "05-08 10:00", actor=leader("civil"))
    story.give("opine", "05-11 10:00", actor=leader("agriculture")).until("05-14 11:00")
    return told(story, "05-14 11:00").give("revisit", "05-15 10:00", **VERY_SATISFIED).give("archive")


def case_6() -> Story:
    """【桂林·历史遗留】开发商已注销,房改房无法办证."""
    story = handled("01-26 09:30", "commitment", "resources", cause="legacy")
    story.give("report_complex", "01-27 10:00").give("set_limit", "01-28 10:00", due_on="04-15")
    for on in ("02-03", "02-09", "02-14", "02-26", "03-04", "03-11", "03-18", "03-25", "04-01", "04-08"):
        story.give("progress", f"{on} 10:00")
    return told(story, "04-14 16:00").give("revisit", "04-16 10:00", **SATISFIED).give("archive")


def case_7() -> Story:
    """【桂林·无法解决】要求超龄补缴,法规不允许."""
    story = handled("05-06 11:00", "commitment", "social", cause="policy_gap")
    story.give("declare_unsolvable", "05-12 09:00").give("confirm_unsolvable", "05-12 11:00")
    told(story, "05-14 10:00", resolved=False)
    return story.give("revisit", "05-15 10:00", reached=True, rating=3, resolved=False).give("archive")


def case_8() -> Story:
    """【桂林·退单】医保转移误派人社."""
    story = Story("09-18 14:00").give(dispatched("09-18 14:00", "simple", "social").triage_command)
    return story


def case_9() -> Story:
    """【桂林·超期问责】施工许可无人签收."""
    story = dispatched("09-30 16:50", "commitment", "housing").give("inform", "10-08 10:00")
    told(story.give("sign", "10-19 10:00"), "10-19 10:00")
    story.give("revisit", "10-20 10:00", reached=True, rating=2, resolved=True)
    return story.give("judge_revisit", "10-20 15:00", reopen=False).until("12-31 12:00")


def case_10() -> Story:
    """【桂林·延期】需外省函证学历."""
    story = handled("06-18 09:40", "commitment", "education")
    story.give("request_extension", "06-25 10:00", working_days=5)
    story.give("decide_extension", "06-25 15:00").give("inform", "06-25 16:00")
    return told(story, "07-02 15:00").give("revisit", "07-03 10:00", **SATISFIED).give("archive")


def case_11() -> Story:
    """【城中·上报】跨市公积金,权限在市."""
    story = handled("07-01 10:00", "commitment", "housing", "chengzhong")
    story.give("refer_up", "07-08 15:00", due_on="07-31").give("inform", "07-09 10:00")
    story.give("referral_reply", "07-23 10:00")
    return told(story, "07-24 10:00").give("revisit", "07-27 10:00", **SATISFIED).give("archive")


def case_12() -> Story:
    """【桂林·即办·重办,跨春节】社保卡激活失败."""
    story = told(handled("02-13 16:00", "simple", "social", cause="system_barrier"), "02-14 11:00")
    story.give("revisit", "02-24 10:00", reached=True, rating=2, resolved=False)
    story.give("judge_revisit", reopen=True)
    return told(story, "02-27 14:00").give("revisit", "02-28 10:00", **SATISFIED).give("archive")
