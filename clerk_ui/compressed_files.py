"""Static files leave compressed: scripts, styles and drawings are text, and a shop's network is slow.

Only files that are the same for everybody: an answer that holds somebody's data together with what the caller sent is
never compressed, because its length would tell something about it.
"""

from __future__ import annotations

import gzip

from flask import Flask, Response, current_app, request

KEY = "osusume.compressed_files"
WORTH_IT = 600  # bytes; below that it all fits into one packet anyway
ENDPOINTS = frozenset({"static", "pwa.service_worker", "pwa.manifest", "beacon.script"})
TEXTS = ("text/", "application/json", "application/manifest+json", "image/svg+xml", "application/javascript")


def init_app(app: Flask) -> None:
    """Compress each file once for as long as this worker lives and the file stays the same."""
    app.extensions[KEY] = {}
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if request.endpoint not in ENDPOINTS or not (response.mimetype or "").startswith(TEXTS):
        return response
    response.vary.add("Accept-Encoding")
    etag, _ = response.get_etag()
    if etag is not None:
        response.set_etag(etag, weak=True)  # the same file, whichever way it is sent
    if response.status_code != 200 or request.method != "GET" or not request.accept_encodings["gzip"]:
        return response
    kept: dict[str, tuple[str | None, bytes]] = current_app.extensions[KEY]
    known = kept.get(request.path)
    if known is None or known[0] != etag:
        response.direct_passthrough = False
        content = response.get_data()
        if len(content) < WORTH_IT:
            return response
        kept[request.path] = known = etag, gzip.compress(content, 9, mtime=0)
    response.close()  # the file itself is not read
    response = response.__class__(known[1], status=200, headers=response.headers)
    response.headers["Content-Encoding"] = "gzip"
    response.content_length = len(known[1])
    response.headers.pop("Accept-Ranges", None)
    return response
