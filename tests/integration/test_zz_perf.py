import time, statistics, uuid, json
from datetime import timedelta
from sqlalchemy import text, insert, select
from tests.support.house import House, form, triage
from activities.tables import CASES
import pytest, cProfile, pstats

@pytest.mark.timeout(400)
async def test_perf(house: House):
    import structlog, logging
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    ts=[]
    for i in range(40):
        t=time.perf_counter(); await house.file(); ts.append((time.perf_counter()-t)*1000)
    print("file p50", statistics.median(ts))
    case=await house.file()
    case = await house.handled()
    ts=[]
    for i in range(30):
        t=time.perf_counter(); await house.act(case,"progress","guilin.market.contact",text="x"); ts.append((time.perf_counter()-t)*1000)
    print("command p50", statistics.median(ts))
    ts=[]
    for i in range(30):
        t=time.perf_counter(); await house.get(f"cases/{case['id']}"); ts.append((time.perf_counter()-t)*1000)
    print("get p50", statistics.median(ts))
    async with house.services.database.read() as s:
        row=dict((await s.execute(select(CASES).where(CASES.c.id==case["id"]))).mappings().one())
    def work(session):
        base=row["received_at"]
        rows=[]
        for n in range(30000):
            rows.append({**row,"id":str(uuid.uuid4()),"number":f"guilin-2020-{n}","hall":["guilin","chengzhong","lingui"][n%3],"unit":["market","housing","civil"][n//3%3],"status":["handling","archived","closed","archived"][n//9%4],"received_at":base-timedelta(minutes=n),"due_at":(base-timedelta(minutes=n)) if n%5 else None,"open":n%4==0,"matter":f"事项{n}"})
        session.connection().execute(insert(CASES), rows)
    await house.services.database.write(work)
    for q,by in [({}, "guilin.clerk"),({"sort":"-due_at"},"guilin.clerk"),({"sort":"received_at"},"guilin.clerk"),({"sort":"-received_at"},"guilin.clerk"),({"status":"handling"},"guilin.clerk"),({}, "guilin.market.contact"),({},"auditor"),({},"guilin.supervisor"),({"q":"事项29"},"guilin.clerk"),({"q":"周小明"},"guilin.clerk"),({"page":100},"guilin.clerk"),({"per_page":200},"guilin.clerk")]:
        ts=[]
        for i in range(5):
            t=time.perf_counter(); r=await house.get("cases", by=by, **q); ts.append((time.perf_counter()-t)*1000)
        print(q,by,round(statistics.median(ts),1),"ms", r.json()["total"])
    pr=cProfile.Profile(); pr.enable()
    for i in range(20): await house.get("cases", per_page=50)
    pr.disable(); pstats.Stats(pr).sort_stats("cumtime").print_stats(45)
