"""Gives schemathesis what cannot be guessed, so that its requests reach the rules behind the first refusal.

KEYNEST_KNOWN is JSON: `kept`, ids by collection to work with; `spare`, ids that may be deleted; `position`, a position
token. Only what was generated to be right is exchanged: what was generated to be wrong stays wrong."""

import itertools
import json
import os
import re

import schemathesis

KNOWN = json.loads(os.environ["KEYNEST_KNOWN"])
PARENTS = {"organization": "organizations", "project": "projects", "environment": "environments"}
requests = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    if isinstance(case.body, dict):
        for name, collection in PARENTS.items():
            if type(case.body.get(name)) is int:
                case.body[name] = KNOWN["kept"][collection]
    collection = case.path.split("/")[3] if case.path.startswith("/api/core/") else ""
    if collection in KNOWN["kept"] and is_whole((case.path_parameters or {}).get("id")):
        ends = case.method.upper() == "DELETE" and case.path.endswith("/{id}/")
        case.path_parameters["id"] = KNOWN["spare" if ends else "kept"][collection]
    if case.path == "/api/events/" and is_short(case.query.get("wait") if case.query else None):
        case.query["wait"] = 0  # Nothing happens meanwhile that would be worth waiting for.
    for headers in (case.headers, kwargs.get("headers")):
        if headers is not None:
            exchange(headers)


def exchange(headers):
    if 1 <= len(str(headers.get("Idempotency-Key", ""))) <= 255:
        headers["Idempotency-Key"] = f"key {next(requests)}"
    if "KeyNest-Min-Position" in headers:
        headers["KeyNest-Min-Position"] = KNOWN["position"]


def is_short(value):
    return str(value).isdigit() and int(value) <= 20


def is_whole(value):
    return type(value) is int or (isinstance(value, str) and re.fullmatch(r"-?[0-9]+", value) is not None)
