"""The operation that counts, sums and averages records by groups."""

import orjson

from engine.api.answers import Answer
from engine.api.operations import Call, Operation
from engine.api.permission import Permission
from engine.api.reading import whole_number
from engine.api.records import names, sort_keys
from engine.service import AggregateQuery, Records

__all__ = ["OPERATIONS"]

MAX_LIMIT = 1000


def aggregate_records(call: Call) -> Answer:
    sent = call.values()
    query = AggregateQuery(
        object=call.args[0], group=names(sent, "group"), measures=names(sent, "measures") or ("count()",),
        filter=sent.get("filter", ""), having=sent.get("having", ""), sort=sort_keys(sent),
        limit=whole_number(sent, "limit", MAX_LIMIT, 1, MAX_LIMIT), search=sent.get("search", ""),
    )  # fmt: skip
    found = Records(call.ctx).aggregate(query)
    return Answer(200, orjson.dumps({"groups": found.groups, "is_truncated": found.is_truncated, "total": found.total}))


PARAMETERS = ("group", "measures", "filter", "having", "sort", "limit", "search")
OPERATIONS = (
    Operation("GET", "/aggregate/{object}", Permission("person", "records: read"), aggregate_records, PARAMETERS),
)
