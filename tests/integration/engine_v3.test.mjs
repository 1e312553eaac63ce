// Engine.IO 3, the protocol of Socket.IO 2's clients, by hand (shared/reference.md 37-38). What it has in common with
// version 4 is in the other engine_* files.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { PollingSessionV3, text_payload } from "../support/engine_v3.mjs";
import { WebSocketSession, engine_url, http } from "../support/engine_session.mjs";
import { start_example } from "../support/servers.mjs";
import { eventually } from "../support/wait.mjs";

const ping_interval_ms = 300;
const ping_timeout_ms = 200;

let server;
let witness;
before(async () => {
  server = await start_example("engine-echo", ["--allow-eio3"]);
  witness = await WebSocketSession.open(server); // of version 4: both are served at once
});
afterEach(() => witness.echoes());
after(async () => {
  witness?.close();
  await server?.stop();
});

const open_websocket = (query = "EIO=3&transport=websocket") => WebSocketSession.open(server, { query, heartbeat: false });

describe("handshake", () => {
  it("over polling: a payload of one text packet, whose length is in characters", async () => {
    const { opened, handshake } = await PollingSessionV3.open(server, { b64: false });
    assert.equal(opened.headers["content-type"], "text/plain; charset=UTF-8");
    const { sid, ...rest } = handshake;
    assert.match(sid, /^[A-Za-z0-9_-]{20,}$/);
    // The suite of version 3 knows no maxPayload, and allows it.
    delete rest.maxPayload;
    assert.deepEqual(rest, { upgrades: ["websocket"], pingInterval: ping_interval_ms, pingTimeout: ping_timeout_ms });
    const [, length, packet] = /^(\d+):(.*)$/.exec(opened.body);
    assert.equal(Number(length), packet.length);
  });

  it("over WebSocket offers no upgrade", async () => {
    const session = await open_websocket();
    assert.deepEqual(session.handshake.upgrades, []);
    session.close();
  });

  it("takes a missing version for 3", async () => {
    const polling = await PollingSessionV3.open(server, { version: "" });
    await polling.echoes();
    const websocket = await open_websocket("transport=websocket");
    await websocket.echoes();
    websocket.close();
  });

  for (const [query, method, code] of [["EIO=3", "GET", 0], ["EIO=3&transport=tram", "GET", 0], ["EIO=3&transport=polling", "POST", 2]]) {
    it(`${method} ${query}: code ${code}`, async () => {
      const answer = await http(engine_url(server, query), { method });
      assert.equal(answer.status, 400);
      assert.equal(JSON.parse(answer.body).code, code);
    });
  }
});

describe("payloads of text", () => {
  it("one packet, several packets, in order", async () => {
    const session = await PollingSessionV3.open(server);
    const posted = await session.post("6:4hello");
    assert.equal(posted.status, 200);
    assert.equal(posted.body, "ok");
    assert.equal((await session.get()).body, "6:4hello");
    await session.post("6:4test16:4test26:4test3");
    assert.equal((await session.get()).body, "6:4test16:4test26:4test3");
  });

  it("count UTF-16 units, as JavaScript does", async () => {
    const session = await PollingSessionV3.open(server);
    for (const packet of ["4€uro", "4𝄞", "4\n:1:2", "4", "4🎉🎉:"]) {
      await session.post(text_payload(packet, "4end"));
      assert.equal((await session.get()).body, text_payload(packet, "4end"));
    }
  });

  it("carry binary as base64 for a client that asks for it", async () => {
    const session = await PollingSessionV3.open(server, { b64: true });
    await session.post("6:4hello10:b4AQIDBA==");
    const answer = await session.get();
    assert.equal(answer.body, "6:4hello10:b4AQIDBA==");
    assert.equal(answer.headers["content-type"], "text/plain; charset=UTF-8");
  });

  it("a large one", async () => {
    const session = await PollingSessionV3.open(server);
    const packet = `4${"€x".repeat(150_000)}`;
    await session.post(text_payload(packet));
    assert.equal(await session.next(), packet);
  });
});

describe("payloads of bytes", () => {
  it("are what a client without b64 gets as soon as one packet is binary", async () => {
    const session = await PollingSessionV3.open(server, { b64: false });
    await session.post("6:4hello10:b4AQIDBA==");
    const answer = await session.get();
    assert.equal(answer.headers["content-type"], "application/octet-stream");
    assert.deepEqual([...answer.bytes], [0, 6, 255, ...Buffer.from("4hello"), 1, 5, 255, 4, 1, 2, 3, 4]);
  });

  it("are text again when none is", async () => {
    const session = await PollingSessionV3.open(server, { b64: false });
    await session.post("6:4hello");
    const answer = await session.get();
    assert.equal(answer.headers["content-type"], "text/plain; charset=UTF-8");
    assert.equal(answer.body, "6:4hello");
  });

  it("are taken from the client, with lengths of several digits", async () => {
    const session = await PollingSessionV3.open(server, { b64: false });
    const long = Buffer.concat([Buffer.from([4]), Buffer.alloc(1234, 0xfe)]);
    assert.equal((await session.post_binary("4text", Buffer.from([4, 1, 2, 255]), long)).status, 200);
    assert.deepEqual([await session.next(), await session.next(), await session.next()], ["4text", Buffer.from([4, 1, 2, 255]), long]);
  });

  it("empty binary messages", async () => {
    const session = await PollingSessionV3.open(server, { b64: false });
    await session.post_binary(Buffer.from([4]));
    assert.deepEqual(await session.next(), Buffer.from([4]));
  });
});

describe("payloads that end the session", () => {
  const texts = [
    "abc", "4hello", "6", "6:", "6:4hi", ":4x", "0:", "-1:4x", "1e0:4", "1.0:4", " 2:4x", "x2:4x", "2:4x2", "2:4xabc", "99999999999999999999:4x",
    "1:9", "2:4x1:7", "1:3", "",
  ];
  for (const body of texts) {
    it(JSON.stringify(body), async () => {
      const session = await PollingSessionV3.open(server);
      const posted = await session.post(body).catch(() => undefined);
      assert.ok(posted === undefined || [200, 400].includes(posted.status), `status ${posted?.status}`);
      // What was good before it may have been echoed.
      await eventually("end of the session", () => session.is_gone());
    });
  }

  const bytes = [
    ["no length", [0, 255, 0x34]], ["no end of the length", [0, 1, 1, 1]], ["a length beyond the end", [0, 9, 255, 0x34]], ["an unknown kind", [2, 1, 255, 0x34]],
    ["a digit that is none", [0, 10, 255, 0x34]], ["an endless length", [0, ...Array.from({ length: 400 }, () => 9), 255, 0x34]], ["half a packet behind a good one", [0, 2, 255, 0x34, 0x78, 0, 5]],
  ];
  for (const [name, body] of bytes) {
    it(`binary: ${name}`, async () => {
      const session = await PollingSessionV3.open(server, { b64: false });
      const posted = await session.post(Buffer.from(body), { "content-type": "application/octet-stream" }).catch(() => undefined);
      assert.ok(posted === undefined || [200, 400].includes(posted.status), `status ${posted?.status}`);
      await eventually("end of the session", () => session.is_gone());
    });
  }
});

describe("heartbeat: the client pings", () => {
  it("over polling", async () => {
    const session = await PollingSessionV3.open(server);
    for (let i = 0; i < 3; ++i) {
      assert.equal((await session.post("1:2")).status, 200);
      assert.equal((await session.get()).body, "1:3");
    }
  });

  it("over WebSocket, and never the server", async () => {
    const session = await open_websocket();
    const since = performance.now();
    let pongs = 0;
    while (performance.now() - since < 3 * (ping_interval_ms + ping_timeout_ms)) {
      session.send("2");
      assert.equal(await session.next(), "3");
      ++pongs;
      await new Promise((resolve) => { setTimeout(resolve, ping_interval_ms / 2); }); // a client's pace
    }
    assert.ok(pongs > 1);
    session.close();
  });

  it("silence ends a WebSocket after interval and timeout", async () => {
    const since = performance.now();
    const session = await open_websocket();
    await session.until_closed();
    assert.ok(performance.now() - since >= ping_interval_ms + ping_timeout_ms - 20);
    assert.deepEqual(session.queue.items, []);
  });

  it("silence ends a polling session, and messages do not keep it", async () => {
    const since = performance.now();
    const session = await PollingSessionV3.open(server);
    await eventually("end of the session", async () => (await session.post("2:4x")).status === 400);
    assert.ok(performance.now() - since >= ping_interval_ms + ping_timeout_ms - 20);
  });

  it("a pong from the client ends the session", async () => {
    const session = await open_websocket();
    session.send("3");
    await session.until_closed();
  });
});

describe("WebSocket", () => {
  it("echoes text and binary; binary begins with the type", async () => {
    const session = await open_websocket();
    await session.echoes("4hello");
    session.send(Buffer.from([4, 1, 2, 3, 4]));
    assert.deepEqual(await session.next(), Buffer.from([4, 1, 2, 3, 4]));
    session.send(Buffer.from([4]));
    assert.deepEqual(await session.next(), Buffer.from([4]));
    session.close();
  });

  for (const packet of ["abc", "9", "", Buffer.from([9, 1]), Buffer.from([]), Buffer.from([0x34, 0x78])]) {
    it(`${typeof packet === "string" ? JSON.stringify(packet) : `the bytes [${[...packet]}]`} ends the session`, async () => {
      const session = await open_websocket();
      session.send(packet);
      await session.until_closed();
      assert.deepEqual(session.queue.items, []);
    });
  }

  it("a close packet ends the session", async () => {
    const session = await open_websocket();
    session.send("1");
    await session.until_closed();
  });
});

describe("closing over polling", () => {
  it("a close packet: 200, a pending GET gets a noop", async () => {
    const session = await PollingSessionV3.open(server);
    const { answer } = await session.hang();
    assert.equal((await session.post("1:1")).status, 200);
    assert.equal((await answer).body, "1:6");
    assert.ok(await session.is_gone());
  });

  it("two GETs: the first gets a close packet, the second 400, the session is gone", async () => {
    const session = await PollingSessionV3.open(server);
    const { answer } = await session.hang();
    assert.equal((await session.get()).status, 400);
    assert.equal((await answer).body, "1:1");
    assert.ok(await session.is_gone());
  });
});

describe("upgrade", () => {
  async function second_transport(session) {
    const socket = new WebSocketSession(server, { query: `EIO=3&transport=websocket&sid=${session.sid}`, heartbeat: false });
    await socket.opened;
    socket.send("2probe");
    assert.equal(await socket.next(), "3probe");
    return socket;
  }

  it("sends a GET away, then carries everything", async () => {
    const session = await PollingSessionV3.open(server);
    const { answer } = await session.hang();
    const socket = await second_transport(session);
    assert.equal((await answer).body, "1:6");
    socket.send("5");
    await socket.echoes();
    socket.send(Buffer.from([4, 7]));
    assert.deepEqual(await socket.next(), Buffer.from([4, 7]));
    assert.equal((await session.get()).status, 400);
    await socket.echoes();
    socket.close();
  });

  it("what waits goes out over WebSocket, binary included", async () => {
    const session = await PollingSessionV3.open(server, { b64: false });
    const socket = await second_transport(session);
    await session.post_binary("4text", Buffer.from([4, 1]));
    socket.send("5");
    assert.deepEqual(await socket.queue.take(2), ["4text", Buffer.from([4, 1])]);
    socket.close();
  });

  it("a second WebSocket after the upgrade is refused, the first goes on", async () => {
    const session = await PollingSessionV3.open(server);
    const first = await second_transport(session);
    first.send("5");
    await first.echoes();
    const second = new WebSocketSession(server, { query: `EIO=3&transport=websocket&sid=${session.sid}`, heartbeat: false });
    await second.until_closed();
    await first.echoes();
    first.close();
  });
});

describe("where it is not allowed", () => {
  it("version 3 and a missing version are refused: code 5", async () => {
    const strict = await start_example("engine-echo");
    for (const query of ["EIO=3&transport=polling", "transport=polling"]) {
      const answer = await http(engine_url(strict, query));
      assert.equal(answer.status, 400);
      assert.deepEqual(JSON.parse(answer.body), { code: 5, message: "Unsupported protocol version" });
    }
    await strict.stop();
  });
});
