"""Edits every phone through REST, as a bulk job would: all descriptions, 500 at a time."""

import json
import os
import sys
import time
import urllib.request

url, folder = sys.argv[1:3]
with open(os.path.join(folder, "config", "jackfield", "session.json")) as kept:
    token = json.load(kept)["token"]


def call(method, path, body=None):
    request = urllib.request.Request(f"{url}/api/v1{path}", method=method, data=json.dumps(body).encode() if body else None)
    request.add_header("authorization", f"Bearer {token}")
    request.add_header("content-type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


began, done, cursor = time.monotonic(), 0, ""
while True:
    page = call("GET", f"/phones?limit=500{cursor}")
    items = [{"operation": "update", "id": phone["id"], "version": None,
              "patch": {"description": f"edited {time.time():.0f}"}} for phone in page["items"]]
    call("POST", "/batch", {"operations": items})
    done += len(items)
    if not page.get("next"):
        break
    cursor = f"&cursor={urllib.request.quote(page['next'])}"
print(f"{done} phones in {time.monotonic() - began:.1f} s")
