"""How often what happens in an organization, per day, in a SQLite table: a consumer of KeyNest's event feed.

    KEYNEST_URL=https://keynest.example KEYNEST_TOKEN=kn_... python3 analytics.py analytics.db      over HTTP
    KEYNEST_GRPC='kurrentdb://me:kn_...@keynest.example:2113?tls=true' python3 analytics.py analytics.db    over gRPC
    NATS_URL=nats://nats.example:4222 python3 analytics.py analytics.db                             over NATS

The place in the feed is committed together with the rows, so it may be killed at any moment and goes on where it was: each
event counts once. It ends when the connection does: let whatever runs your programs start it again. With --once it ends when
there is nothing more. Over HTTP it needs Python alone, over gRPC kurrentdbclient, over NATS nats-py."""

import asyncio
import json
import os
import sqlite3
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timedelta

WAIT_SECONDS = 20
BATCH = int(os.environ.get("BATCH", "500"))
STREAM = os.environ.get("NATS_STREAM", "keynest")


def open_database(path):
    database = sqlite3.connect(path)
    database.execute(
        "create table if not exists deeds (day text, organization text, type text, count integer,"
        " primary key (day, organization, type))"
    )
    database.execute("create table if not exists place (id integer primary key, position text)")
    return database


def place(database):
    row = database.execute("select position from place").fetchone()
    return row and row[0]


def take(database, events, position):
    """Counts the events and notes the place, both or neither."""
    with database:
        for event in events:
            database.execute(
                "insert into deeds (day, organization, type, count) values (?, ?, ?, 1)"
                " on conflict (day, organization, type) do update set count = count + 1",
                (event["time"][:10], event.get("organization", ""), event["type"]),
            )
        database.execute("insert or replace into place (id, position) values (1, ?)", (str(position),))
    if events:
        print(len(events), "events", flush=True)


def over_http(database, once):
    while True:
        query = {"limit": BATCH, "wait": 0 if once else WAIT_SECONDS, "after": place(database) or "start"}
        url = os.environ["KEYNEST_URL"] + "/api/events/?" + urllib.parse.urlencode(query)
        headers = {"Authorization": "Bearer " + os.environ["KEYNEST_TOKEN"]}
        try:
            request = urllib.request.Request(url, headers=headers)
            with urllib.request.urlopen(request, timeout=WAIT_SECONDS + 10) as answer:
                events, position = [json.loads(line) for line in answer], answer.headers["KeyNest-Position"]
        except urllib.error.HTTPError as error:
            # These pass; everything else is for a person to look at, such as position_unknown after a restore.
            if error.code not in (429, 503):
                raise SystemExit(error.read().decode())
            time.sleep(int(error.headers.get("Retry-After", "5")))
            continue
        take(database, events, position)
        # An answer may be empty though there is more: all that it looked at was not asked for. Here everything is.
        if once and not events:
            return


def over_grpc(database, once):
    from kurrentdbclient import CaughtUp, KurrentDBClient

    client = KurrentDBClient(os.environ["KEYNEST_GRPC"])
    position = place(database)
    after = int(position) if position else None
    try:
        for event in client.subscribe_to_all(commit_position=after, include_caught_up=True):
            if isinstance(event, CaughtUp):
                if once:
                    return
                continue
            organization = json.loads(event.metadata).get("organization", "")
            told = {"time": event.recorded_at.isoformat(), "organization": organization, "type": event.type}
            take(database, [told], event.commit_position)
    finally:
        client.close()


async def over_nats(database, once):
    import nats
    from nats.errors import TimeoutError
    from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

    # The place is here and not at NATS, so nothing is acknowledged: a consumer that NATS forgets when we go, from a little
    # before the last event that was counted. The clocks of NATS and of KeyNest need not agree to the minute.
    config = ConsumerConfig(ack_policy=AckPolicy.NONE)
    life, after, last = (place(database) or ":0:").split(":", 2)
    after = int(after)
    if last:
        config.deliver_policy = DeliverPolicy.BY_START_TIME
        config.opt_start_time = datetime.fromisoformat(last.replace("Z", "+00:00")) - timedelta(minutes=10)
    client = await nats.connect(os.environ["NATS_URL"])
    consumer = await client.jetstream().pull_subscribe("keynest.events.>", stream=STREAM, config=config)
    while True:
        try:
            messages = await consumer.fetch(BATCH, timeout=1 if once else WAIT_SECONDS)
        except TimeoutError:
            if not once:
                continue
            await client.close()
            return
        events = []
        for message in messages:
            told = {name[3:]: value for name, value in message.headers.items() if name.startswith("ce-")}
            if life and life != told["incarnation"]:
                raise SystemExit("KeyNest was restored from a backup: begin again with an empty table")
            if int(told["position"]) <= after:
                continue
            if after and int(told["previous"]) > after:
                raise SystemExit(f"NATS has lost what came after {after}: read it with keynest replay --from {after}")
            life, after, last = told["incarnation"], int(told["position"]), told["time"]
            events.append(told)
        take(database, events, f"{life}:{after}:{last}")


def main():
    database, once = open_database(sys.argv[1]), "--once" in sys.argv
    if "NATS_URL" in os.environ:
        asyncio.run(over_nats(database, once))
    elif "KEYNEST_GRPC" in os.environ:
        over_grpc(database, once)
    else:
        over_http(database, once)


if __name__ == "__main__":
    main()
