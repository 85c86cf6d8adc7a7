"""The field that an approval gives its object: how far the record is on its way."""

from collections.abc import Mapping

from metadata.document import Document
from metadata.model import Choice, Field, FieldKind
from metadata.processes import APPROVAL_STATES, APPROVAL_STATUS

__all__ = ["status_field"]

LABEL = {"en": "Approval status", "zh-CN": "审批状态"}
STATES: Mapping[str, tuple[str, str, str]] = {
    "none": ("Not submitted", "未提交", ""),
    "pending": ("In approval", "审批中", "blue"),
    "approved": ("Approved", "已通过", "green"),
    "rejected": ("Rejected", "已拒绝", "red"),
    "returned": ("Returned", "已退回", "orange"),
    "withdrawn": ("Withdrawn", "已撤回", "gray"),
}


def status_field(document: Document, package: str, kinds: Mapping[str, FieldKind]) -> Field:
    """`document`: of the approval."""
    options = kinds["choice"].options if "choice" in kinds else {}
    choices = tuple(
        Choice(state, {"en": STATES[state][0], "zh-CN": STATES[state][1]}, STATES[state][2])
        for state in APPROVAL_STATES
    )
    return Field(
        APPROVAL_STATUS, "choice", LABEL, package, value="choice", choices=choices, default=APPROVAL_STATES[0],
        is_required=True, is_read_only=True, is_kept=True, is_indexed=True, is_copied=False,
        options={name: one["default"] for name, one in options.items() if one.get("default") is not None},
        place=document.at(),
    )  # fmt: skip
