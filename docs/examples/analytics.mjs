// How often what happens, in a file: a consumer of KeyNest's event feed over gRPC, with the official Node client of KurrentDB.
//
//     KEYNEST_GRPC='kurrentdb://me:kn_...@keynest.example:2113?tls=true' node analytics.mjs counts.json [--once]
//
// Run it where `npm install @kurrent/kurrentdb-client` was. The place in the feed is in the same file as the counts, which is replaced
// as a whole, so it may be killed at any moment and goes on where it was: each event counts once. It ends when the connection does: let
// whatever runs your programs start it again. With --once it ends when there is nothing more.

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const { FORWARDS, KurrentDBClient, START } = createRequire(join(process.cwd(), "package.json"))("@kurrent/kurrentdb-client");

const [file, once] = [process.argv[2], process.argv.includes("--once")];
const counts = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { position: null, events: {} };
const after = counts.position && BigInt(counts.position);
const fromPosition = counts.position ? { commit: after, prepare: after } : START;

const client = KurrentDBClient.connectionString(process.env.KEYNEST_GRPC);
// A read begins with the event at the position, a subscription behind it.
const events = once ? client.readAll({ direction: FORWARDS, fromPosition }) : client.subscribeToAll({ fromPosition });
for await (const { event } of events) {
  if (after && event.position.commit <= after) continue;
  counts.events[event.type] = (counts.events[event.type] ?? 0) + 1;
  counts.position = String(event.position.commit);
  writeFileSync(`${file}.new`, JSON.stringify(counts));
  renameSync(`${file}.new`, file);
  console.log("1 events");
}
await client.dispose();
