"""Files that people upload: documents, drawings, photographs. They are sent as attachments only."""

from engine.sdk import FieldType, FileValue

FILES = FileValue()
ID, OTHER = "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3", "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a4"
REPORT = {"id": ID, "name": "报告 2026.pdf", "type": "application/pdf", "size": 20_480}

FILE = FieldType(
    name="file",
    label={"en": "File", "zh-CN": "文件"},
    value="json",
    widget="file",
    cell="file",
    column=FILES.column,
    parser=FILES.parser,
    schema=FILES.schema,
    to_json=FILES.to_json,
    from_form=FILES.from_form,
    to_form=FILES.to_form,
    keep=FILES.keep,
    attaches=FILES.ids,
    options=FILES.options,
    may_be_unique=False,
    may_be_indexed=False,
    may_default=False,
    good=(
        ({}, ID),
        ({}, {"id": ID}),
        ({}, REPORT),
        ({"accept": (".pdf", "image/*")}, REPORT),
        ({"multiple": True}, [ID, REPORT | {"id": OTHER}]),
        ({"multiple": True, "max_files": 1}, [ID]),
    ),
    bad=(
        ({}, 7, "value.type"),
        ({}, [ID], "value.type"),
        ({}, "report.pdf", "value.file"),
        ({}, {"name": "report.pdf"}, "value.file"),
        ({}, {"id": ID, "hash": "00"}, "value.type"),
        ({}, {"id": ID, "size": -1}, "value.type"),
        ({"max_bytes": 20_479}, REPORT, "value.file.size"),
        ({"accept": (".docx", "image/*")}, REPORT, "value.file.type"),
        ({"multiple": True}, ID, "value.type"),
        ({"multiple": True, "max_files": 1}, [ID, OTHER], "value.file.many"),
        ({"multiple": True}, [ID] * 10_000, "value.file.many"),
    ),
)
