// Random packets and requests, played to Carillon and to the reference server at once: both must say the same. What is
// known to differ, and may (shared/reference.md), is not in the lists below.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { isDeepStrictEqual } from "node:util";
import msgpack_parser from "socket.io-msgpack-parser";
import WebSocket from "ws";
import { PollingSession, http } from "../support/engine_session.mjs";
import { parse_text_payload } from "../support/engine_v3.mjs";
import { skip_on_reference, start_example, start_node } from "../support/servers.mjs";
import { deadline, is_slow, patience_ms } from "../support/wait.mjs";

const seed = Number(process.env.CARILLON_TEST_SEED ?? Date.now() % 1_000_000);
const rounds = is_slow ? 8 : 25;
const at_once = 10;

// A small generator of its own: the same seed is the same run everywhere.
function dice(start) {
  let state = start & 0x7fffffff;
  const below = (n) => { state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff; return (state >> 8) % n; };
  return { below, pick: (list) => list[below(list.length)] };
}

// Plays `make()` to both, many times; says what differs, and how to play it again.
async function compare(make, play, twins) {
  for (let round = 0; round < rounds; ++round) {
    await Promise.all(Array.from({ length: at_once }, make).map(async (scene) => {
      // On a busy machine a ping timeout may come between: what differs has to differ again.
      for (let attempts_left = 3; ; --attempts_left) {
        const [ours, theirs] = await Promise.all(twins.map((server) => deadline(play(server, scene), patience_ms, JSON.stringify(scene))));
        if (isDeepStrictEqual(ours, theirs)) break;
        if (attempts_left === 0) assert.deepEqual(ours, theirs, `CARILLON_TEST_SEED=${seed}, ${JSON.stringify(scene)}`);
      }
    }));
  }
}

const without_ids = (text) => text.replace(/"(sid|pid)":"[^"]*"/g, '"$1":"?"');

const packets_5 = [
  "40", "40{}", '40{"a":1}', "40/custom", "40/custom,", '40/custom,{"b":2}', "40/x,", "40/", "40/,", "40,", "40/custom?x=1,", "40/custom,x", "40/custom,null", "40custom",
  "41", "41/custom,", "41/custom", "41{}", '42["message",1]', '42["message"]', '42/custom,["message",1]', '42/custom["message"]', '42/,["message",1]', '42,["message",1]',
  '421["message-with-ack","x"]', '42007["message-with-ack"]', '42["message-with-ack",1]', '42["unknown"]', "42", "427", '42["message","\\ud800"]',
  '42["message",{"__proto__":{"x":1}}]', '42["message",0.1]', '42["message",01]', '42["message","\t"]', "42['message']", '42[\n"message" , 1 ]', "42/custom", "42/custom,",
  '42-1["message"]', '42/a/b,["x"]', '42["message",1] ', '42["message",1]x', '42["message",NaN]', '42["message",{"_placeholder":true,"num":0}]', "42[0,1]", "42[1.5]",
  '42["connect"]', '42["disconnecting"]', '42[["a"]]', "42{}", "42[]", "42[null]", "42[true]", '42["",1]', "431[]", "43", "431", "43[]", "43999[1]", "44", '44{"m":1}',
  "45", '451-["message",{"_placeholder":true,"num":0}]', '452-["message",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]', '450-["message",1]',
  '461-1[{"_placeholder":true,"num":0}]', "46", "47", "4", "0", "0{}", "2", "2x", "3", "3x", "5", "6", "6x", "7", "8", "", "x", " 40",
  Buffer.from([1, 2, 3]), Buffer.alloc(0), Buffer.from("4x"),
];

// Binary messages begin with a type byte there, and a namespace is a URL to the reference.
const packets_2 = packets_5.filter((packet) => typeof packet === "string").concat([
  "40/custom?a=b", "40/custom?a=b,", '42/custom?a=b,["message",1]', Buffer.from([4, 1, 2]), Buffer.from([4]),
]);
const packets_msgpack = [
  ...[{ type: 0, nsp: "/" }, { type: 0, nsp: "/", data: { a: 1 } }, { type: 0, nsp: "/custom" }, { type: 0, nsp: "/custom", data: { b: [2] } }, { type: 0, nsp: "/x" },
    { type: 0, nsp: "/", data: null }, { type: 0, nsp: "/", data: "x" }, { type: 0 }, { type: 1, nsp: "/" }, { type: 1, nsp: "/custom" }, { type: 1, nsp: "/", data: 1 },
    ...[["message", 1], ["message"], ["message", 0.5, -1, "\u20ac", [null, true], { a: {} }], ["message", Buffer.from([1, 2])], ["message", { _placeholder: true, num: 0 }], ["unknown"], [], [1, 2], {}, "x", null]
      .flatMap((data) => [{ type: 2, nsp: "/", data }, { type: 2, nsp: "/custom", data }]),
    ...[["message-with-ack", "x"], ["message-with-ack"], ["message-with-ack", Buffer.alloc(3)], ["unknown"]].flatMap((data) => [0, 1, 4294967296].map((id) => ({ type: 2, nsp: "/", data, id }))),
    { type: 3, nsp: "/", id: 1, data: [] }, { type: 3, nsp: "/", id: 999, data: [1] }, { type: 3, nsp: "/", data: [] }, { type: 3, nsp: "/custom", id: 1, data: [] },
    { type: 4, nsp: "/", data: "x" }, { type: 5, nsp: "/", data: ["message"] }, { type: 6, nsp: "/", data: [], id: 1 }, { type: 7, nsp: "/" }, { type: -1, nsp: "/" }, { type: 2.5, nsp: "/", data: ["message"] },
    { type: "2", nsp: "/", data: ["message"] }, { nsp: "/" }, [], null, 1, "x",
  ].map((packet) => new msgpack_parser.Encoder().encode(packet)[0]),
  Buffer.from([0xc1]), Buffer.alloc(0), "40", '42["message",1]', "3",
].map((packet) => typeof packet === "string" ? packet : Buffer.from(packet));

const hex = (data) => `binary ${data.toString("hex")}`;
// As objects, whose members may stand in any order.
function read_packet(bytes) {
  let packet;
  const decoder = new msgpack_parser.Decoder();
  decoder.on("decoded", (decoded) => { packet = decoded; });
  decoder.add(bytes);
  if (packet.type === 0) packet.data = Object.keys(packet.data).filter((id) => packet.data[id] !== undefined);
  return packet;
}

for (const { name, version, flags, connect, packets, read_binary = hex } of [
  { name: "Socket.IO 5", version: 4, flags: [], connect: "40", packets: packets_5 },
  { name: "Socket.IO 2", version: 3, flags: ["--allow-eio3"], connect: "40", packets: packets_2 },
  { name: "Socket.IO 5, MessagePack", version: 4, flags: ["--msgpack"], connect: packets_msgpack[0], packets: packets_msgpack, read_binary: read_packet },
]) {
  describe(`${name} packets over WebSocket`, { skip: skip_on_reference }, () => {
    let twins;
    before(async () => { twins = await Promise.all([start_example("protocol", flags), start_node("protocol", flags)]); });
    after(() => Promise.all(twins?.map((server) => server.stop()) ?? []));

    // What comes back, and how it ends. Each packet waits for the pong of a ping behind the one before: it has been read.
    function play(server, scene) {
      return new Promise((resolve) => {
        const ws = new WebSocket(`ws://${server.host}:${server.port}/socket.io/?EIO=${version}&transport=websocket`, { perMessageDeflate: false });
        const seen = [];
        const end = (how) => { ws.terminate(); resolve([...seen, how]); };
        const left = [...scene];
        const next = () => {
          if (!left.length) return setTimeout(end, 60, "open"); // what comes late would come within that
          const packet = left.shift();
          ws.send(packet.type === "Buffer" ? Buffer.from(packet.data) : packet);
          return ws.ping();
        };
        ws.on("error", () => {});
        ws.on("close", (code) => end(`closed with ${code}`));
        ws.on("pong", () => setTimeout(next, 10));
        ws.on("message", (data, is_binary) => {
          const message = is_binary ? read_binary(data) : without_ids(data.toString());
          if (!is_binary && message.startsWith("0{")) next();
          else if (message === "2") ws.send("3");
          else seen.push(message);
        });
      });
    }

    it(`random packets (seed ${seed})`, async () => {
      const { below, pick } = dice(seed);
      await compare(() => [...(below(4) ? [connect] : []), ...Array.from({ length: 1 + below(4) }, () => pick(packets))], play, twins);
    });
  });
}

for (const [name, flags] of [["Engine.IO 4 alone", []], ["Engine.IO 3 and 4", ["--allow-eio3"]]]) {
  describe(`${name} over HTTP`, { skip: skip_on_reference }, () => {
    let twins;
    before(async () => { twins = await Promise.all([start_example("engine-echo", flags), start_node("engine-echo", flags)]); });
    after(() => Promise.all(twins?.map((server) => server.stop()) ?? []));

    const headers_compared = ["content-type", "cache-control", "access-control-allow-origin", "access-control-allow-methods", "access-control-allow-headers", "vary"];
    const comparable = ({ status, headers, body }) => ({
      status, headers: headers_compared.map((header) => headers[header]),
      // The length in front is that of version 3, and ids are of different length.
      body: without_ids(body.replace(/^\d+:0\{/, "0{")),
    });

    it(`random requests (seed ${seed})`, async () => {
      const { pick } = dice(seed);
      const versions = ["EIO=4", "EIO=4", "EIO=3", "EIO=5", "EIO=", "", "EIO=4&EIO=3", "EIO=04", "EIO=%34", "eio=4", "EIO=4.0", "EIO[]=4"];
      const transports = [
        "transport=polling", "transport=polling", "transport=websocket", "transport=", "", "transport=Polling", "transport=webtransport",
        "transport=polling&transport=websocket", "transport=poll%69ng", "transport=__proto__", "transport=toString",
      ];
      const ids = ["", "", "", "sid=", "sid=x", "sid=%00", "sid=__proto__"];
      const more = ["", "b64=1", "t=1", "b64=1&t=a%20b", "%zz=1", "a=b=c", "&&", "x=%", "?"];
      const headers = [{}, { origin: "http://a.example" }, { "content-type": "application/octet-stream" }, { "access-control-request-headers": "x-a" }, { cookie: "a=b" }];
      const make = () => ({
        method: pick(["GET", "GET", "GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]), headers: pick(headers),
        query: [pick(versions), pick(transports), pick(ids), pick(more)].filter(Boolean).join("&"),
      });
      const play = async (server, { method, query, ...rest }) => comparable(await http(`${server.url}/engine.io/?${query}`, { method, ...rest, agent: false }));
      await compare(make, play, twins);
    });

    it(`random payloads (seed ${seed})`, async () => {
      const { below, pick } = dice(seed);
      const bodies = [
        "4hello", "4", "", "2", "2probe", "3", "1", "5", "6", "0", "7", "9x", "x", "b", "bAQI=", "4a\x1e4b", "4a\x1e", "\x1e4a", "4a\x1e\x1e4b", "4€", "4\0", "3\x1e4a", " 4a", "4a\n",
        "6:4hello", "1:2", "2:4a2:4b", "1:1", "10:b4AQIDBA==", "5:4€a€a", "d=4hello", "bAQ==\x1e4x", `4${"x".repeat(2000)}`,
      ];
      const make = () => ({ version: flags.length && below(2) ? 3 : 4, steps: Array.from({ length: 1 + below(3) }, () => pick(bodies)) });
      // Of a POST that ends the session the reference says "ok", and we what was wrong. What counts is what is left.
      const play = async (server, { version, steps }) => {
        const session = await PollingSession.open(server, { agent: false, ...(version === 3 && { query: "EIO=3&transport=polling&b64=1", parse: parse_text_payload }) });
        for (const body of steps) await session.post(body);
        return comparable(await session.get());
      };
      await compare(make, play, twins);
    });
  });
}
