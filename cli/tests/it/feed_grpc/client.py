"""The Python client at the event feed over gRPC. Prints what it saw, a line of JSON each.

    client.py ADDRESS CERTIFICATE TOKEN all | stream NAME | follow [NAME] | from IP | write

Over TLS, since this client sends no credentials without.
"""

import json
import os
import sys
import traceback

import grpc
from kurrentdbclient import CaughtUp, Checkpoint, KurrentDBClient, NewEvent, NewEvents, StreamState
from kurrentdbclient import exceptions as errors
from kurrentdbclient.protos.v1 import shared_pb2, streams_pb2, streams_pb2_grpc


def say(value):
    print(json.dumps(value), flush=True)


def told(event):
    return {
        "stream": event.stream_name,
        "revision": event.stream_position,
        "place": event.commit_position,
        "type": event.type,
        "data": json.loads(event.data),
        "metadata": json.loads(event.metadata),
        "time": event.recorded_at.isoformat(),
    }


def everything(client):
    """The same through every way to read it."""
    events = list(client.read_all())
    assert [it.id for it in client.read_all(backwards=True)] == [it.id for it in events[::-1]]
    for count in (1, 3):
        assert [it.id for it in client.read_all(limit=count)] == [it.id for it in events[:count]]
        assert [it.id for it in client.read_all(backwards=True, limit=count)] == [it.id for it in events[::-1][:count]]
    places = [it.commit_position for it in events]
    assert places == sorted(set(places)), places
    for number, it in enumerate(events):
        assert [e.id for e in client.read_all(commit_position=it.commit_position)] == [e.id for e in events[number:]]
        before = client.read_all(commit_position=it.commit_position, backwards=True)
        assert [e.id for e in before] == [e.id for e in events[:number][::-1]]
    for stream in {it.stream_name for it in events}:
        mine = [it for it in events if it.stream_name == stream]
        assert [(it.id, it.commit_position) for it in client.get_stream(stream)] == [(it.id, it.commit_position) for it in mine]
        assert [it.id for it in client.get_stream(stream, backwards=True)] == [it.id for it in mine[::-1]]
        assert client.get_current_version(stream) == mine[-1].stream_position
    for it in events:
        say(told(it))


def follow(client, stream):
    arguments = {"include_caught_up": True}
    if stream:
        subscription = client.subscribe_to_stream(stream, **arguments)
    else:
        arguments.update(include_checkpoints=True, window_size=1, checkpoint_interval_multiplier=1)
        subscription = client.subscribe_to_all(filter_include=["project.created"], **arguments)
    try:
        for it in subscription:
            if isinstance(it, Checkpoint):
                say({"checkpoint": it.commit_position})
            elif isinstance(it, CaughtUp):
                say({"caught_up": True})
            else:
                say(told(it))
    except errors.KurrentDBClientError as error:
        say({"ended": type(error).__name__, "why": str(error)})


def passed_on(address, certificate, token, ip):
    """Reads all as a proxy passes the call on. The client cannot say that, so it is one call of its stubs."""
    options = streams_pb2.ReadReq.Options(all=streams_pb2.ReadReq.Options.AllOptions(start=shared_pb2.Empty()), count=1_000)
    options.no_filter.SetInParent()
    options.uuid_option.string.SetInParent()
    with open(certificate, "rb") as authority:
        trust = grpc.ssl_channel_credentials(authority.read())
    with grpc.secure_channel(address, trust) as channel:
        sent = [("authorization", f"Bearer {token}"), ("x-forwarded-for", ip)]
        try:
            for answer in streams_pb2_grpc.StreamsStub(channel).Read(streams_pb2.ReadReq(options=options), metadata=sent, timeout=30):
                event = answer.event.event
                say({"stream": event.stream_identifier.stream_name.decode(), "type": event.metadata["type"]})
        except grpc.RpcError as error:
            say({"refused": error.code().name, "why": error.details()})


def write(client):
    event = NewEvent(type="mine", data=b"{}")
    known = next(iter(client.read_all())).stream_name
    for call in (
        lambda: client.append_to_stream("mine", current_version=StreamState.ANY, events=event),
        lambda: client.append_to_stream("mine", current_version=StreamState.ANY, events=[event]),
        lambda: client.append_to_stream(known, current_version=StreamState.ANY, events=event),
        lambda: client.delete_stream(known, current_version=StreamState.ANY),
        lambda: client.tombstone_stream(known, current_version=StreamState.ANY),
        lambda: client.set_stream_metadata(known, metadata={"$maxCount": 1}, current_version=StreamState.ANY),
        lambda: client.multi_append_to_stream([NewEvents(stream_name="mine", events=[event], current_version=StreamState.ANY)]),
        lambda: client.create_subscription_to_stream("group", known),
        lambda: client.create_subscription_to_all("group"),
        lambda: next(client.read_subscription_to_all("group")),
    ):
        try:
            call()
            say("done")
        except errors.KurrentDBClientError as error:
            say(type(error).__name__)


def main():
    address, certificate, token, command = sys.argv[1:5]
    if command == "from":
        return passed_on(address, certificate, token, sys.argv[5])
    credentials = f"anybody:{token}@" if token else ""
    client = KurrentDBClient(f"kurrentdb://{credentials}{address}?TlsCaFile={certificate}&DefaultDeadline=30")
    try:
        if command == "all":
            everything(client)
        elif command == "stream":
            for it in client.get_stream(sys.argv[5]):
                say(told(it))
        elif command == "follow":
            follow(client, sys.argv[5] if len(sys.argv) > 5 else None)
        else:
            write(client)
    except errors.KurrentDBClientError as error:
        say({"refused": type(error).__name__, "why": str(error)})
    finally:
        client.close()


if __name__ == "__main__":
    try:
        main()
        code = 0
    except BaseException:
        traceback.print_exc()
        code = 1
    # The end of the interpreter may wait for a lock that a thread of the client held when it was stopped.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
