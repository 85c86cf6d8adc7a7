"""Build templates."""

from metadata.build.wording import Wording
from metadata.document import Document
from metadata.names import humanised
from metadata.processes import Template

__all__ = ["build_template"]


def build_template(document: Document, package: str, wording: Wording) -> Template:
    data = document.data
    return Template(
        document.name, wording.text(data.get("label"), otherwise=humanised(document.name)),
        object=data.get("object") or "", subject=wording.text(data.get("subject")),
        body=wording.text(data.get("body")), is_html=bool(data.get("html")), package=package, place=document.at(),
    )  # fmt: skip
