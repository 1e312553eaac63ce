// Whatever arrives on a channel, a node survives it and goes on; what can be understood is delivered.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { Emitter } from "@socket.io/redis-emitter";
import { Cluster, base_channel, request_channel, room_channel } from "../support/cluster.mjs";
import { skip_on_reference } from "../support/servers.mjs";

// Enough of MessagePack to write what a correct library would not.
const str = (text) => Buffer.concat([Buffer.of(0xd9, Buffer.byteLength(text)), Buffer.from(text)]);
const array = (...items) => Buffer.concat([Buffer.of(0x90 | items.length), ...items.map(pack)]);
const map = (object) => Buffer.concat([Buffer.of(0x80 | Object.keys(object).length), ...Object.entries(object).flatMap(([k, v]) => [str(k), pack(v)])]);
function pack(value) {
  if (Buffer.isBuffer(value)) return value; // packed already
  if (value === null) return Buffer.of(0xc0);
  if (typeof value === "string") return str(value);
  if (typeof value === "number") return Buffer.of(value & 0x7f);
  if (Array.isArray(value)) return array(...value);
  return map(value);
}

const packet = { type: 2, data: ["e", 1], nsp: "/" };
const opts = { rooms: [], except: [], flags: {} };
const message = (uid, p, o) => array(uid, p, o);
const good = message("abcdef", packet, opts);

describe("malformed messages", { skip: skip_on_reference }, () => {
  let cluster;
  let clients;
  let emitter;
  before(async () => {
    cluster = await Cluster.start(["serve", "bench"]);
    await cluster.until_complete();
    clients = await cluster.connect_to_each("anna");
    emitter = new Emitter(cluster.control);
  });
  after(() => cluster?.stop());

  const room = room_channel("user:anna");
  // The good message comes over the same connection, so whatever was sent before has been seen.
  let rounds = 0;
  async function survives(...publishes) {
    for (const [channel, bytes] of publishes) await cluster.control.publish(channel, bytes);
    const mark = ++rounds;
    emitter.to("user:anna").emit("mark", mark);
    emitter.emit("mark", -mark);
    const got = [];
    for (const client of clients) {
      got.push(...await client.queue("mark").take(2));
      got.push(...client.queue("e").items.splice(0)); // taken out of all, so that the next test does not fail for this one
    }
    assert.deepEqual(got, clients.flatMap(() => [[mark], [-mark]]));
  }

  const deep = Buffer.concat([Buffer.alloc(100_000, 0x91), Buffer.of(0xc0)]);
  const cases = {
    "an empty message": [Buffer.alloc(0)],
    "text": [Buffer.from("hello"), Buffer.from("{"), Buffer.from('{"a":1}'), Buffer.from('["uid",{"type":2,"data":["e"]},{}]')],
    "random bytes": Array.from({ length: 50 }, (_, i) => randomBytes(1 + i * 7)),
    "every prefix of a good message": Array.from({ length: good.length - 1 }, (_, i) => good.subarray(0, i + 1)),
    "a good message with bytes behind it": [Buffer.concat([good, Buffer.of(0)]), Buffer.concat([good, good])],
    "other values than an array": [pack(null), pack(1), pack("x"), pack({}), Buffer.of(0xc1)],
    "arrays of another length": [array(), array("uid"), array("uid", packet)],
    "wrong types": [message(1, 2, 3), message(null, null, null), message("abcdef", [], opts)],
    "options that are none": [message("abcdef", packet, null), message("abcdef", packet, 5)],
    "options in an array": [message("abcdef", packet, [1])], // an empty one is how PHP writes an empty map
    "data that is no array, empty or missing": ["e", [], {}, null].map((data) => message("abcdef", { ...packet, data }, opts)).concat(message("abcdef", { type: 2, nsp: "/" }, opts)),
    "a namespace that is a number": [message("abcdef", { ...packet, nsp: 7 }, opts)],
    "rooms that are a number": [message("abcdef", packet, { ...opts, rooms: 5 })],
    "rooms that are a text": [message("abcdef", packet, { ...opts, rooms: "user:anna" })],
    "except that is a number": [message("abcdef", packet, { ...opts, except: 5 })],
    "a packet of type CONNECT_ERROR": [message("abcdef", { ...packet, type: 4 }, opts)],
    "another namespace's message": [message("abcdef", { ...packet, nsp: "/other" }, opts)],
    "a reserved event": [message("abcdef", { ...packet, data: ["disconnect"] }, { ...opts, rooms: ["user:nobody"] })],
    "lengths beyond the message": [
      Buffer.from("dd7fffffff", "hex"), Buffer.from("ddffffffff", "hex"), Buffer.from("dfffffffff", "hex"), Buffer.from("dbffffffff", "hex"),
      Buffer.from("c6ffffffff", "hex"), Buffer.from("c9ffffffff00", "hex"), Buffer.from("93ddffffffff", "hex"), Buffer.from("93a6616263646566dfffffffff", "hex"),
    ],
    "nesting of 100,000 levels": [deep, array("abcdef", { ...packet, data: Buffer.concat([Buffer.of(0x92), str("e"), deep]) }, opts)],
    "invalid UTF-8": [message("abcdef", { ...packet, data: [Buffer.from("a2c328", "hex")] }, { ...opts, rooms: ["user:nobody"] })],
    "a message of 8 MiB that is none": [Buffer.alloc(8 << 20, 0x91)],
  };
  for (const [name, messages] of Object.entries(cases)) {
    it(`on the channels of broadcasts: ${name}`, () => survives(...messages.flatMap((bytes) => [[base_channel, bytes], [room, bytes]])));
  }

  it("on the channels of requests and responses", async () => {
    const texts = [
      "", "{", "[]", "{}", "null", '{"type":1}', '{"type":99,"requestId":"x","uid":"y"}', '{"type":"2"}', '{"type":2,"opts":7,"rooms":[]}', '{"type":5}',
      '{"type":2,"opts":{"rooms":["user:nobody"],"except":[]}}', '{"requestId":"nobody asked"}', '{"requestId":"x","rooms":5,"sockets":5}',
      '{"type":8,"requestId":"x","clientCount":-1}', `{"type":6,"uid":"x","data":${"[".repeat(100_000)}`, '{"type":3,"sid":"nobody","room":"r","requestId":"x"}',
    ].map((text) => Buffer.from(text));
    const all = [...texts, ...Object.values(cases).flat()];
    await survives(...all.flatMap((bytes) => [[request_channel, bytes], ["socket.io-response#/#", bytes]]));
  });

  it("a request for the rooms of all does not keep nodes from answering the next one", async () => {
    for (let i = 0; i < 100; ++i) await cluster.control.publish(request_channel, `{"type":1,"uid":"stranger","requestId":"r${i}"}`);
    await survives();
  });

  it("but what is odd and can be understood is delivered", async () => {
    const hello = "93a658643766317583a47479706502a46461746191a568656c6c6fa36e7370a12f83a5726f6f6d7391a5726f6f6d31a5666c61677380a665786365707490";
    const odd = [
      ["no namespace, which means /", base_channel, message("abcdef", { type: 2, data: ["odd", 1] }, opts)],
      ["keys in another order, and more of them", base_channel, array("abcdef", { extra: 1, nsp: "/", data: ["odd", 2], type: 2 }, { flags: { unknown: 1 }, except: [], rooms: [] })],
      ["rooms on the base channel", base_channel, message("abcdef", { ...packet, data: ["odd", 3] }, { ...opts, rooms: ["user:anna"] })],
      ["a flag of every known kind", base_channel, message("abcdef", { ...packet, data: ["odd", 4] }, { ...opts, flags: { compress: 1, timeout: 5 } })],
    ];
    for (const [name, channel, bytes] of odd) {
      await cluster.control.publish(channel, bytes);
      for (const client of clients) assert.equal((await client.next("odd"))[0], odd.findIndex(([each]) => each === name) + 1, name);
    }
    // Captured from the reference: for a room in which nobody is.
    await survives([base_channel, Buffer.from(hello, "hex")]);
  });
});
