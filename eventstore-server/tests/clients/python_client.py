"""The official Python client against the server: one function per journey, run in order. Prints one line per journey that passed.

    python_client.py ADDRESS

The journey across a restart says `restart` and goes on when it is told so on its standard input.
"""

import os
import sys
import traceback
from uuid import uuid4

from kurrentdbclient import CaughtUp, Checkpoint, KurrentDBClient, NewEvent, NewEvents, StreamState
from kurrentdbclient import exceptions as errors
from kurrentdbclient.events import NewRecord, StreamStateCheck


def event(kind="happened", data=b"{}", **more):
    return NewEvent(type=kind, data=data, **more)


def refused(kind, call, *args, **named):
    try:
        call(*args, **named)
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


def appends_come_back_as_they_were_sent(client):
    sent = [event("one", b'{"n":1}', metadata=b'{"m":1}'), event("two", b"\x00\xff", content_type="application/octet-stream")]
    client.append_to_stream("py-1", current_version=StreamState.NO_STREAM, events=sent)
    read = client.get_stream("py-1")
    assert [(e.id, e.type, e.data, e.metadata, e.content_type) for e in read] == [
        (e.id, e.type, e.data, e.metadata, e.content_type) for e in sent
    ]
    assert [e.stream_position for e in read] == [0, 1]
    assert read[0].recorded_at is not None
    assert client.get_current_version("py-1") == 1


def conflicts_are_told(client):
    for events in (event(), [event(), event()]):  # one append, one batch
        error = refused(errors.WrongCurrentVersionError, client.append_to_stream, "py-1", current_version=7, events=events)
        assert error is not None
        refused(errors.WrongCurrentVersionError, client.append_to_stream, "py-1", current_version=StreamState.NO_STREAM, events=events)
        refused(errors.WrongCurrentVersionError, client.append_to_stream, "py-none", current_version=StreamState.EXISTS, events=events)
    refused(errors.NotFoundError, client.get_stream, "py-none")
    assert client.get_current_version("py-none") == StreamState.NO_STREAM
    large = event(data=b"x" * 300_000)
    refused((errors.MaximumAppendSizeExceededError, errors.InvalidArgumentError), client.append_to_stream, "py-1", current_version=StreamState.ANY, events=[large])


def repeats_change_nothing(client):
    events = [event(), event()]
    first = client.append_to_stream("py-2", current_version=StreamState.NO_STREAM, events=events)
    for version in (StreamState.NO_STREAM, StreamState.ANY):
        assert client.append_to_stream("py-2", current_version=version, events=events) == first
    assert len(client.get_stream("py-2")) == 2


def the_log_is_read_both_ways(client):
    forwards = list(client.read_all())
    assert [e.stream_name for e in forwards] == ["py-1", "py-1", "py-2", "py-2"]
    assert list(client.read_all(backwards=True)) == forwards[::-1]
    assert list(client.read_all(limit=2)) == forwards[:2]
    place = forwards[2].commit_position
    assert list(client.read_all(commit_position=place)) == forwards[2:]
    assert list(client.read_all(filter_include=["one", "two"])) == forwards[:2]
    assert list(client.read_all(filter_include=["py-2"], filter_by_stream_name=True)) == forwards[2:]
    assert client.get_commit_position() == forwards[-1].commit_position


def several_streams_are_one_append(client):
    def to(stream, version, count=1):
        return NewEvents(stream_name=stream, events=[event(metadata=b'{"why":"test"}') for _ in range(count)], current_version=version)

    client.multi_append_to_stream([to("py-m1", StreamState.NO_STREAM), to("py-m2", StreamState.ANY, 2)])
    assert [e.metadata for e in client.get_stream("py-m1")] == [b'{"why":"test"}']
    assert client.get_current_version("py-m2") == 1
    error = refused(errors.WrongCurrentVersionError, client.multi_append_to_stream, [to("py-m1", 0), to("py-m2", 7)])
    assert (error.stream_name, error.expected_version, error.actual_version) == ("py-m2", 7, 1)
    assert client.get_current_version("py-m1") == 0, "all of it or nothing"
    twice = refused(errors.MultiAppendToSameStreamError, client.multi_append_to_stream, [to("py-m1", 0), to("py-m1", 1)])
    assert twice.stream_name == "py-m1"


def checks_guard_other_streams(client):
    def record(stream):
        return NewRecord(stream_name=stream, type="happened", data=b"{}")

    def check(stream, state):
        return StreamStateCheck(stream_name=stream, expected_state=state)

    good = [check("py-m1", 0), check("py-m2", StreamState.EXISTS), check("py-none", StreamState.NO_STREAM), check("py-m3", StreamState.NO_STREAM)]
    result = client.append_records([record("py-m3"), record("py-m4"), record("py-m3")], good)
    assert [(it.stream_name, it.stream_position) for it in result.stream_positions] == [("py-m3", 1), ("py-m4", 0)]
    bad = [check("py-m1", 0), check("py-m2", 9), check("py-none", StreamState.EXISTS), check("py-m3", StreamState.NO_STREAM)]
    error = refused(errors.ConsistencyChecksFailedError, client.append_records, [record("py-m3")], bad)
    told = [(f.check_index, f.stream_state_failure.stream_name, f.stream_state_failure.actual_state) for f in error.failures]
    assert told == [(1, "py-m2", 1), (2, "py-none", -1), (3, "py-m3", 1)], told
    assert client.get_current_version("py-m3") == 1


def what_is_too_large_is_named(client):
    large = NewEvents(stream_name="py-l", events=[event(data=b"x" * 300_000)], current_version=StreamState.ANY)
    error = refused(errors.KurrentDBClientError, client.multi_append_to_stream, [large])
    assert "exceeds 262144 bytes" in str(error), error
    many = [NewEvents(stream_name=f"py-l{n}", events=[event() for _ in range(400)], current_version=StreamState.ANY) for n in range(3)]
    refused(errors.KurrentDBClientError, client.multi_append_to_stream, many)
    for stream in ("py-l", "py-l0", "py-l2"):
        refused(errors.NotFoundError, client.get_stream, stream)


def streams_are_deleted_and_ended(client):
    client.append_to_stream("py-d", current_version=StreamState.NO_STREAM, events=[event(), event()])
    refused(errors.WrongCurrentVersionError, client.delete_stream, "py-d", current_version=9)
    client.delete_stream("py-d", current_version=1)
    refused(errors.NotFoundError, client.get_stream, "py-d")
    client.append_to_stream("py-d", current_version=StreamState.NO_STREAM, events=[event()])
    assert [e.stream_position for e in client.get_stream("py-d")] == [2]
    client.tombstone_stream("py-d", current_version=2)
    refused(errors.StreamIsDeletedError, client.get_stream, "py-d")
    # For a single append the client has no name of its own for this refusal.
    told = refused(errors.FailedPreconditionError, client.append_to_stream, "py-d", current_version=StreamState.ANY, events=event())
    assert "deleted" in str(told), told
    refused(errors.StreamIsDeletedError, client.append_to_stream, "py-d", current_version=StreamState.ANY, events=[event()])
    many = NewEvents(stream_name="py-d", events=[event()], current_version=StreamState.ANY)
    refused(errors.StreamTombstonedError, client.multi_append_to_stream, [many])


def settings_hide(client):
    client.append_to_stream("py-s", current_version=StreamState.NO_STREAM, events=[event() for _ in range(5)])
    assert client.get_stream_metadata("py-s") == ({}, StreamState.NO_STREAM)
    client.set_stream_metadata("py-s", metadata={"$maxCount": 2, "mine": [1]}, current_version=StreamState.NO_STREAM)
    assert client.get_stream_metadata("py-s") == ({"$maxCount": 2, "mine": [1]}, 0)
    assert [e.stream_position for e in client.get_stream("py-s")] == [3, 4]


def filtered_subscriptions_tell_checkpoints(client):
    wanted = f"wanted-{uuid4()}"
    client.append_to_stream("py-f", current_version=StreamState.ANY, events=[event("other") for _ in range(10)] + [event(wanted)])
    found, checkpoints = [], 0
    with client.subscribe_to_all(
        filter_include=[wanted], include_checkpoints=True, include_caught_up=True, window_size=2, checkpoint_interval_multiplier=2
    ) as subscription:
        for it in subscription:
            if isinstance(it, CaughtUp):
                break
            if isinstance(it, Checkpoint):
                checkpoints += 1
            else:
                found.append(it.type)
    assert found == [wanted], found
    assert checkpoints >= 3, checkpoints


def groups_share_events_out(client):
    client.append_to_stream("py-g", current_version=StreamState.ANY, events=[event(data=b"%d" % n) for n in range(3)])
    client.create_subscription_to_stream("group", "py-g", from_end=False, max_retry_count=1)
    refused(errors.AlreadyExistsError, client.create_subscription_to_stream, "group", "py-g")
    seen = []
    with client.read_subscription_to_stream("group", "py-g") as consumer:
        for it in consumer:
            seen.append((it.data, it.retry_count))
            if it.data == b"1" and it.retry_count == 0:
                consumer.nack(it, "retry")
            else:
                consumer.ack(it)
            if len(seen) == 4:
                break
    assert sorted(seen) == [(b"0", 0), (b"1", 0), (b"1", 1), (b"2", 0)], seen
    assert [it.group_name for it in client.list_subscriptions()] == ["group"]
    client.delete_subscription("group", "py-g")
    refused(errors.NotFoundError, client.get_subscription_info, "group", "py-g")
    client.create_subscription_to_all("all", from_end=False, filter_include=["py-g"], filter_by_stream_name=True)
    with client.read_subscription_to_all("all") as consumer:
        first = next(consumer)
        consumer.ack(first)
    assert (first.stream_name, first.data) == ("py-g", b"0")


def a_subscription_goes_on_after_a_restart(client):
    client.append_to_stream("py-r", current_version=StreamState.ANY, events=[event(data=b"%d" % n) for n in range(4)])
    with client.subscribe_to_all(filter_include=["py-r"], filter_by_stream_name=True) as subscription:
        seen = [next(subscription) for _ in range(2)]
        place = seen[-1].commit_position
        print("restart", flush=True)
        assert sys.stdin.readline() == "restarted\n"
    client.append_to_stream("py-r", current_version=3, events=[event(data=b"4")])
    with client.subscribe_to_all(commit_position=place, filter_include=["py-r"], filter_by_stream_name=True) as subscription:
        seen += [next(subscription) for _ in range(3)]
    assert [e.data for e in seen] == [b"0", b"1", b"2", b"3", b"4"]


JOURNEYS = [
    appends_come_back_as_they_were_sent,
    conflicts_are_told,
    repeats_change_nothing,
    the_log_is_read_both_ways,
    several_streams_are_one_append,
    checks_guard_other_streams,
    what_is_too_large_is_named,
    streams_are_deleted_and_ended,
    settings_hide,
    filtered_subscriptions_tell_checkpoints,
    groups_share_events_out,
    a_subscription_goes_on_after_a_restart,
]

if __name__ == "__main__":
    client = KurrentDBClient(f"kurrentdb://{sys.argv[1]}?Tls=false&DefaultDeadline=30")
    code = 0
    try:
        for journey in JOURNEYS:
            journey(client)
            print("passed", journey.__name__, flush=True)
    except BaseException:
        traceback.print_exc()
        code = 1
    client.close()
    # The end of the interpreter may wait for a lock that a thread of the client held when it was stopped.
    sys.stderr.flush()
    os._exit(code)
