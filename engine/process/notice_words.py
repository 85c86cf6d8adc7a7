"""What notifications say where no template does, in the language of whoever reads them."""

import re
from collections.abc import Mapping
from typing import Any

from metadata.model import say

__all__ = ["worded"]

PLACE = re.compile(r"\{(\w+)\}")
WORDS: Mapping[str, Mapping[str, str]] = {
    "approval.asked": {"en": "Please decide: {title}", "zh-CN": "待您审批：{title}"},
    "approval.reminded": {"en": "Still waiting for you: {title}", "zh-CN": "审批提醒：{title}"},
    "approval.urged": {"en": "{actor} asks you to decide soon: {title}", "zh-CN": "{actor} 催办：{title}"},
    "approval.decided.approved": {"en": "Approved: {title}", "zh-CN": "审批已通过：{title}"},
    "approval.decided.rejected": {"en": "Rejected: {title}", "zh-CN": "审批已拒绝：{title}"},
    "approval.decided": {"en": "Decided: {title}", "zh-CN": "审批已结束：{title}"},
    "approval.returned": {"en": "Sent back to you: {title}", "zh-CN": "已退回给您：{title}"},
    "approval.cc": {"en": "For your information: {title}", "zh-CN": "抄送：{title}"},
    "approval.helped": {"en": "{actor} has answered; it is your turn again: {title}",
                        "zh-CN": "{actor} 已处理您委派的任务，请继续审批：{title}"},
    "approval.asked_back": {"en": "{actor} has a question about {title}", "zh-CN": "{actor} 就 {title} 向您询问"},
    "approval.stuck": {"en": "An approval cannot go on: {title}", "zh-CN": "审批流程异常：{title}"},
    "approval": {"en": "News of an approval: {title}", "zh-CN": "审批动态：{title}"},
    "": {"en": "News of {title}", "zh-CN": "{title} 有新动态"},
}  # fmt: skip
PLACED = ("approval", "node")  # of the values, in one line below the first, and
SHOWN = ("comment", "reason", "body")  # a line of each


def worded(kind: str, values: Mapping[str, Any], language: str) -> tuple[str, str]:
    """The first line, and what stands below it. `values` hold texts, or texts by language, such as labels."""
    said = {name: value_in(value, language) for name, value in values.items()}
    subject = said.get("subject", "") or filled(words_of(kind, said.get("outcome", ""), language), said)
    where = " · ".join(dict.fromkeys(said[name] for name in PLACED if said.get(name)))
    below = [where, *(said[name] for name in SHOWN if said.get(name))]
    return subject, "\n".join(dict.fromkeys(line for line in below if line))


def words_of(kind: str, outcome: str, language: str) -> str:
    """Of the kind with its outcome, else of the kind, else of what it belongs to."""
    known = (f"{kind}.{outcome}", kind, kind.partition(".")[0], "")
    return say(next(WORDS[name] for name in known if name in WORDS), language)


def filled(text: str, values: Mapping[str, str]) -> str:
    return PLACE.sub(lambda found: values.get(found[1], ""), text).strip(" :：")


def value_in(value: Any, language: str) -> str:
    if isinstance(value, Mapping):
        return say({str(name): str(text) for name, text in value.items()}, language)
    return "" if value is None else str(value)
