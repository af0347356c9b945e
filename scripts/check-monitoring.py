#!/usr/bin/env python3
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
"""check-monitoring.py URL DASHBOARD: whether the Prometheus at URL sees what it is to watch.

Every target answers, every alert's rule can be worked out, and every panel of the Grafana dashboard has something to
show. Waits for that up to five minutes, since rates need more than one look at a counter; else says what is missing,
and ends with 1."""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

PATIENCE_SECS = 300


def get(url, path, **query):
    address = f"{url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        # An expression that is not PromQL is not mended by waiting; a server that is still starting is.
        if error.code >= 500:
            raise
        sys.exit(f"error: {path} {query}: {error.read().decode()}")


def missing(url, panels):
    """What is not as it should be, one line each."""
    targets = get(url, "targets", state="active")["activeTargets"]
    yield from (f"{t['scrapeUrl']} is {t['health']}: {t['lastError']}" for t in targets if t["health"] != "up")
    rules = [rule for group in get(url, "rules")["groups"] for rule in group["rules"]]
    yield from (f"alert {r['name']} is {r['health']}" for r in rules if r["health"] != "ok")
    if not targets or not rules:
        yield "there are no targets or no alerts"
    for title, expression in panels:
        if not get(url, "query", query=expression)["result"]:
            yield f"'{title}' shows nothing: {expression}"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    url, dashboard = sys.argv[1:]
    with open(dashboard, encoding="utf-8") as file:
        shown = json.load(file)["panels"]
    panels = [(panel["title"], target["expr"]) for panel in shown for target in panel.get("targets", [])]
    end = time.monotonic() + PATIENCE_SECS
    while True:
        try:
            left = list(missing(url, panels))
        except OSError as error:
            left = [f"{url} does not answer: {error}"]
        if not left:
            print(f"all targets answer, and all {len(panels)} queries of the dashboard show something")
            return
        if time.monotonic() > end:
            sys.exit("error: " + "\n".join(left))
        time.sleep(5)


main()
