"""Pictures that people upload: PNG, JPEG, GIF and WebP by their content, never SVG, which can hold scripts."""

from engine.sdk import FieldType, FileValue

TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
IMAGES = FileValue(accept=TYPES, accept_schema={"enum": list(TYPES)})
ID, OTHER = "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3", "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a4"
PHOTO = {"id": ID, "name": "pump.png", "type": "image/png", "size": 20_480}

IMAGE = FieldType(
    name="image",
    label={"en": "Image", "zh-CN": "图片"},
    value="json",
    widget="image",
    cell="image",
    column=IMAGES.column,
    parser=IMAGES.parser,
    schema=IMAGES.schema,
    to_json=IMAGES.to_json,
    from_form=IMAGES.from_form,
    to_form=IMAGES.to_form,
    keep=IMAGES.keep,
    attaches=IMAGES.ids,
    options=IMAGES.options,
    may_be_unique=False,
    may_be_indexed=False,
    may_default=False,
    good=(
        ({}, ID),
        ({}, PHOTO),
        ({"accept": ("image/png",)}, PHOTO),
        ({"multiple": True}, [PHOTO, OTHER]),
    ),
    bad=(
        ({}, 7, "value.type"),
        ({}, "<svg onload=alert(1)>", "value.file"),
        ({}, PHOTO | {"type": "image/svg+xml"}, "value.file.type"),
        ({}, PHOTO | {"type": "text/html", "name": "pump.png"}, "value.file.type"),
        ({"accept": ("image/jpeg",)}, PHOTO, "value.file.type"),
        ({"max_bytes": 1}, PHOTO, "value.file.size"),
    ),
)
