"""Who looks at what: every list, every queue of every role. A test holds it against the templates."""

QUEUES = {
    ("guilin.market.contact", "/department"): "all sign work opine orders climbed elsewhere",
    ("guilin.market.leader", "/department"): "climbed orders all sign work opine elsewhere",
    ("guilin.lead", "/lead"): (
        "decide decide_return decide_extension confirm_unsolvable check_reply judge_revisit "
        "triage revisit overdue warned"
    ),
    ("guilin.centre", "/lead"): "decide decide_return triage revisit overdue warned",
    ("guilin.supervisor", "/supervision"): "overdue climbed supervision limit orders decide referred",
    ("auditor", "/supervision"): "overdue climbed supervision limit orders decide referred",
    ("superior", "/supervision"): "referred overdue all",
}
"""Each role's work lists: its queues, as casework/worklists.py has them."""

NOBODY = ""  # who is not signed in
NAME = "周小明"
SEARCH, LESSONS, SIMILAR = "/cases/search", "/lessons/search", "/counter/similar"

# After the path of a search stands what is typed; {number} is a case of a frequent matter.
PAGES = (
    *(
        (username, f"{path}?queue={queue}")
        for (username, path), names in QUEUES.items()
        for queue in names.split()
    ),
    ("guilin.clerk", "/counter/queue"),
    ("guilin.lead", "/counter/queue"),
    ("guilin.clerk", "/cases"),
    ("guilin.clerk", "/cases?status=archived"),
    ("guilin.clerk", "/cases?status=all&unit=market&sort=oldest"),
    ("guilin.clerk", "/cases?status=all&kind=complex"),
    ("guilin.clerk", "/cases?status=all&sort=due&page=20"),
    ("guilin.market.contact", "/cases?status=all"),
    ("guilin.supervisor", "/cases?status=handling"),
    ("auditor", "/cases?status=all"),
    ("auditor", "/cases?status=all&page=40"),
    ("superior", "/cases?status=all"),
    ("guilin.clerk", f"{SEARCH} 证件"),
    ("guilin.clerk", f"{SEARCH} {NAME}"),
    ("guilin.clerk", f"{SEARCH} 没有这些字"),
    ("auditor", f"{SEARCH} guilin-20200105-0711"),
    ("guilin.lead", "/inbox"),
    ("guilin.lead", "/inbox?page=40"),
    ("guilin.clerk", "/lessons"),
    ("guilin.market.contact", "/lessons"),
    ("auditor", "/lessons?page=20"),
    ("guilin.clerk", f"{LESSONS} 证件"),
    ("guilin.clerk", f"{LESSONS} 没有这些字"),
    ("auditor", f"{LESSONS} 没有这些字"),
    ("guilin.clerk", f"{SIMILAR} 登记事项第7号"),
    ("guilin.clerk", f"{SIMILAR} 没有这些字"),
    ("guilin.supervisor", "/bottlenecks"),
    ("auditor", "/access-log"),
    ("auditor", "/access-log?action=unmask"),
    ("auditor", "/bottlenecks"),
    ("auditor", "/bottlenecks/{number}"),
    ("guilin.lead", "/reports"),
    ("guilin.supervisor", "/reports"),
    ("auditor", "/reports?page=2"),
    ("guilin.centre", "/reports/volumes"),
    ("guilin.market.leader", "/bulletins"),
    ("guilin.supervisor", "/bulletins"),
    ("superior", "/bulletins"),
    ("auditor", "/bulletins?status=issued"),
    ("guilin.lead", "/typical"),
    ("guilin.supervisor", "/typical"),
    ("auditor", "/typical?status=published&page=2"),
    (NOBODY, "/public/cases"),
    (NOBODY, "/public/cases?page=2"),
    ("guilin.supervisor", "/evidence"),
    ("auditor", "/evidence"),
    ("auditor", "/personal-data"),
    ("guilin.clerk", "/counter/import"),
    ("admin", "/admin/users"),
    ("admin", "/admin/users?q=market"),
    ("admin", "/admin/contacts"),
    ("guilin.supervisor", "/admin/contacts"),
    ("admin", "/admin/grants"),
    ("auditor", "/admin/grants"),
    ("admin", "/admin/halls"),
    ("admin", "/admin/deliveries"),
    ("admin", "/admin/deliveries?only=dead"),
    ("admin", "/admin/policies"),
    ("admin", "/admin/calendar"),
)
