"""Static files: a fixed set, read once, sent compressed where the browser takes it."""

from functools import lru_cache
from mimetypes import guess_type

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from engine.api.permission import asks
from ui.icons import STATIC

__all__ = ["static_file"]

ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
FOREVER = "public, max-age=31536000, immutable"
TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".css": "text/css"}


@lru_cache
def files() -> dict[str, dict[str, bytes]]:
    """{path below static/: {encoding: content}}; only what is there can be asked for."""
    found: dict[str, dict[str, bytes]] = {}
    for path in STATIC.rglob("*"):
        if path.is_file() and path.suffix in TYPES:
            contents = {"": path.read_bytes()}
            for encoding, suffix in ENCODINGS:
                packed = path.with_name(path.name + suffix)
                if packed.exists():
                    contents[encoding] = packed.read_bytes()
            found[path.relative_to(STATIC).as_posix()] = contents
    return found


@asks("anyone", "styles, scripts and icons hold nobody's data")
async def static_file(request: Request) -> Response:
    name: str = request.path_params["path"]
    contents = files().get(name)
    if contents is None:
        raise HTTPException(404)
    accepted = {part.split(";")[0].strip() for part in request.headers.get("accept-encoding", "").split(",")}
    encoding = next((e for e, _ in ENCODINGS if e in accepted and e in contents), "")
    suffix = name[name.rfind(".") :]
    headers = {
        "cache-control": FOREVER if name.startswith("dist/") else "public, max-age=86400",
        "vary": "Accept-Encoding",
        "x-content-type-options": "nosniff",
    }
    if encoding:
        headers["content-encoding"] = encoding
    media_type = TYPES.get(suffix) or guess_type(name)[0] or "application/octet-stream"
    return Response(contents[encoding], headers=headers, media_type=media_type)
