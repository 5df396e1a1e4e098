// The official Node client against the server: one function per journey, run in order. Prints one line per journey that passed.
//
//     node node_client.mjs ADDRESS
//
// Run where `@kurrent/kurrentdb-client` is found. The journey across a restart says `restart` and goes on when it is told so.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const {
  ANY, BACKWARDS, END, FORWARDS, KurrentDBClient, NO_STREAM, PersistentSubscriptionDoesNotExistError, RETRY, START, StreamDeletedError, StreamNotFoundError,
  WrongExpectedVersionError, eventTypeFilter, excludeSystemEvents, jsonEvent, binaryEvent,
  persistentSubscriptionToAllSettingsFromDefaults, persistentSubscriptionToStreamSettingsFromDefaults, streamNameFilter,
} = createRequire(join(process.cwd(), "package.json"))("@kurrent/kurrentdb-client");

const happened = (n = 0) => jsonEvent({ type: "happened", data: { n }, metadata: { m: n } });

async function collect(events, most = Infinity) {
  const found = [];
  for await (const { event } of events) {
    found.push(event);
    if (found.length >= most) break;
  }
  return found;
}

async function appendsComeBackAsTheyWereSent(client) {
  const octets = binaryEvent({ type: "octets", data: new Uint8Array([0, 255]) });
  const written = await client.appendToStream("js-1", [happened(1), octets], { streamState: NO_STREAM });
  assert.equal(written.success, true);
  assert.equal(written.nextExpectedRevision, 1n);
  const read = await collect(client.readStream("js-1"));
  assert.deepEqual(read[0].data, { n: 1 });
  assert.deepEqual(read[0].metadata, { m: 1 });
  assert.deepEqual([...read[1].data], [0, 255]);
  assert.deepEqual(read.map((it) => it.revision), [0n, 1n]);
  assert.equal(read[1].id, octets.id);
}

async function conflictsAreTold(client) {
  for (const streamState of [NO_STREAM, 7n]) {
    await assert.rejects(client.appendToStream("js-1", happened(), { streamState }), (error) => {
      assert(error instanceof WrongExpectedVersionError, String(error));
      assert.equal(error.actualState, 1n);
      return true;
    });
  }
  await assert.rejects(collect(client.readStream("js-none")), StreamNotFoundError);
}

async function readsGoBothWays(client) {
  const backwards = await collect(client.readStream("js-1", { direction: BACKWARDS, fromRevision: END, maxCount: 1 }));
  assert.deepEqual(backwards.map((it) => it.revision), [1n]);
  const all = await collect(client.readAll({ direction: FORWARDS, fromPosition: START }));
  assert.deepEqual(all.map((it) => it.streamId), ["js-1", "js-1"]);
  const last = await collect(client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 }));
  assert.equal(last[0].type, "octets");
}

async function severalStreamsAreOneAppend(client) {
  const events = (n) => [jsonEvent({ type: "happened", data: { n }, metadata: { why: "test" } })];
  const written = await client.multiStreamAppend([
    { streamName: "js-m1", expectedState: NO_STREAM, events: events(1) },
    { streamName: "js-m2", expectedState: ANY, events: events(2) },
  ]);
  assert.equal(written.responses.length, 2);
  await assert.rejects(client.multiStreamAppend([
    { streamName: "js-m1", expectedState: 0n, events: events(3) },
    { streamName: "js-m2", expectedState: 9n, events: events(4) },
  ]));
  assert.equal((await collect(client.readStream("js-m1"))).length, 1);
}

async function streamsAreDeletedAndEnded(client) {
  await client.appendToStream("js-d", [happened(), happened()]);
  await client.deleteStream("js-d", { expectedRevision: 1n });
  await assert.rejects(collect(client.readStream("js-d")), StreamNotFoundError);
  await client.appendToStream("js-d", happened());
  assert.deepEqual((await collect(client.readStream("js-d"))).map((it) => it.revision), [2n]);
  await client.tombstoneStream("js-d");
  await assert.rejects(client.appendToStream("js-d", happened()), StreamDeletedError);
}

async function settingsComeBack(client) {
  await client.appendToStream("js-s", [happened(), happened(), happened()]);
  await client.setStreamMetadata("js-s", { maxCount: 1 });
  assert.equal((await client.getStreamMetadata("js-s")).metadata.maxCount, 1);
  assert.deepEqual((await collect(client.readStream("js-s"))).map((it) => it.revision), [2n]);
}

async function filteredSubscriptionsFollow(client) {
  const filter = streamNameFilter({ prefixes: ["js-f"] });
  const subscription = client.subscribeToAll({ fromPosition: START, filter });
  await client.appendToStream("js-other", happened());
  await client.appendToStream("js-f1", [happened(1), happened(2)]);
  await client.appendToStream("js-f2", happened(3));
  assert.deepEqual((await collect(subscription, 3)).map((it) => it.data.n), [1, 2, 3]);
  const types = client.subscribeToAll({ fromPosition: START, filter: eventTypeFilter({ regex: "^oct" }) });
  assert.equal((await collect(types, 1))[0].streamId, "js-1");
  const visible = client.subscribeToAll({ fromPosition: START, filter: excludeSystemEvents() });
  assert.equal((await collect(visible, 1))[0].streamId, "js-1");
}

async function groupsShareEventsOut(client) {
  await client.appendToStream("js-g", [0, 1, 2].map(happened));
  const settings = persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: START });
  await client.createPersistentSubscriptionToStream("js-g", "group", settings);
  const seen = [];
  const consumer = client.subscribeToPersistentSubscriptionToStream("js-g", "group");
  for await (const resolved of consumer) {
    seen.push(resolved.event.data.n);
    if (seen.filter((n) => n === 1).length === 1 && resolved.event.data.n === 1) {
      await consumer.nack(RETRY, "once more", resolved);
    } else {
      await consumer.ack(resolved);
    }
    if (seen.length === 4) break;
  }
  assert.deepEqual(seen.toSorted(), [0, 1, 1, 2]);
  assert.deepEqual((await client.listAllPersistentSubscriptions()).map((it) => it.groupName), ["group"]);
  await client.deletePersistentSubscriptionToStream("js-g", "group");
  const absent = client.getPersistentSubscriptionToStreamInfo("js-g", "group");
  await assert.rejects(absent, PersistentSubscriptionDoesNotExistError);
  const ofAll = persistentSubscriptionToAllSettingsFromDefaults({ startFrom: START });
  const filter = streamNameFilter({ prefixes: ["js-g"] });
  await client.createPersistentSubscriptionToAll("all", ofAll, { filter });
  const all = client.subscribeToPersistentSubscriptionToAll("all");
  for await (const resolved of all) {
    assert.equal(resolved.event.streamId, "js-g");
    await all.ack(resolved);
    break;
  }
}

// A connection of the killed server may be handed out again before the client knows that it is gone.
async function onANewConnection(call) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
}

async function aSubscriptionGoesOnAfterARestart(client, restart) {
  await client.appendToStream("js-r", [0, 1, 2, 3].map(happened));
  const seen = await collect(client.subscribeToStream("js-r", { fromRevision: START }), 2);
  await restart();
  const again = connect();
  const fifth = happened(4);
  await onANewConnection(() => again.appendToStream("js-r", fifth, { streamState: 3n }));
  const fromRevision = seen.at(-1).revision;
  seen.push(...(await collect(again.subscribeToStream("js-r", { fromRevision }), 3)));
  assert.deepEqual(seen.map((it) => it.data.n), [0, 1, 2, 3, 4]);
  await again.dispose();
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const connect = () => KurrentDBClient.connectionString(`kurrentdb://${process.argv[2]}?tls=false`);
const client = connect();
const restart = async () => {
  console.log("restart");
  assert.equal((await lines.next()).value, "restarted");
};
for (const journey of [
  appendsComeBackAsTheyWereSent,
  conflictsAreTold,
  readsGoBothWays,
  severalStreamsAreOneAppend,
  streamsAreDeletedAndEnded,
  settingsComeBack,
  filteredSubscriptionsFollow,
  groupsShareEventsOut,
  aSubscriptionGoesOnAfterARestart,
]) {
  await journey(client, restart);
  console.log(`passed ${journey.name}`);
}
process.exit(0);
