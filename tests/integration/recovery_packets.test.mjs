// Connection state recovery, packet by packet (shared/reference.md 35-36): what the client is given, what it brings back,
// and which ends of a connection it survives.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { Client } from "../support/clients.mjs";
import { PollingSession, WebSocketSession } from "../support/engine_session.mjs";
import { skip_on_reference, start_example } from "../support/servers.mjs";
import { eventually } from "../support/wait.mjs";

let server;
let publisher;
before(async () => {
  server = await start_example("features", ["--recovery"]);
  publisher = await Client.connect(server.url);
});
afterEach(async () => assert.deepEqual(await publisher.ask("echo", "here"), ["here"]));
after(async () => {
  publisher?.close();
  await server?.stop();
});

const path = "/socket.io/";
const publish = (broadcast) => publisher.ask("publish", broadcast);

// A session that has joined a namespace, and what it was told: { sid, pid, offset }.
async function connected(session, { namespace = "", auth } = {}) {
  session.send(`40${namespace}${auth ? JSON.stringify(auth) : ""}`);
  const replayed = [];
  let packet = await session.next();
  while (typeof packet !== "string" || !packet.startsWith(`40${namespace}`)) {
    replayed.push(packet);
    packet = await session.next();
  }
  const { sid, pid } = JSON.parse(packet.slice(2 + namespace.length));
  const [event, welcome, offset] = JSON.parse((await session.next()).slice(2 + namespace.length));
  assert.equal(event, "welcome");
  assert.equal(welcome.id, sid);
  return { sid, pid, offset, replayed, recovered: welcome.recovered };
}

const open = (options) => WebSocketSession.open(server, { path, ...options });
const args_of = (packet) => JSON.parse(packet.slice(packet.indexOf("[")));

// Connects again with these credentials: { session, sid, pid, replayed, recovered }.
async function come_back(pid, offset) {
  const session = await open();
  const came = await connected(session, { auth: { pid, offset } });
  return { session, ...came };
}

// Until the server knows that the connection of this socket is gone: nobody is in its room.
const gone = (sid) => eventually(`end of ${sid}`, async () => (await publisher.ask("fetch_sockets", { rooms: [sid] }))[0].length === 0);

describe("what the client is given", () => {
  it("a private id beside the public one, for each namespace", async () => {
    const session = await open();
    const main = await connected(session);
    const orders = await connected(session, { namespace: "/orders," });
    assert.equal(new Set([main.sid, main.pid, orders.sid, orders.pid]).size, 4);
    for (const { pid } of [main, orders]) assert.match(pid, /^[A-Za-z0-9_-]{16,}$/);
    session.close();
  });

  it("an offset as the last argument of events, and of nothing else", async () => {
    const session = await open();
    const { sid, offset } = await connected(session);
    assert.equal(typeof offset, "string");
    session.send('42["echo",1]');
    const [, one, own_offset, ...none] = args_of(await session.next());
    assert.deepEqual([one, typeof own_offset, none], [1, "string", []]);
    await publish({ rooms: [sid], event: "n", args: ["x"] });
    const broadcast = args_of(await session.next());
    assert.deepEqual([broadcast.length, broadcast[1], typeof broadcast[2]], [3, "x", "string"]);
    session.send('427["echo",1]');
    assert.equal(await session.next(), "437[1]");
    session.send('428["ask","question",[2],5000]');
    const question = await session.next();
    assert.match(question, /^42\d+\["question",2\]$/);
    session.send(question.replace(/^42(\d+).*/, '43$1["answer"]'));
    assert.equal(await session.next(), '438[{"answer":["answer"]}]');
    session.close();
  });
});

describe("what it gets back", () => {
  it("missed events in order, then CONNECT with the same ids, then the server's handler runs again", async () => {
    const first = await open();
    const { sid, pid, offset } = await connected(first);
    first.close();
    await gone(sid);
    for (const i of [1, 2, 3]) await publish({ rooms: [sid], event: "n", args: [i] });
    await publish({ rooms: [sid], flags: { volatile: true }, event: "n", args: ["volatile"] });
    const { session, ...back } = await come_back(pid, offset);
    assert.deepEqual([back.sid, back.pid, back.recovered], [sid, pid, true]);
    assert.deepEqual(back.replayed.map(args_of).map(([, arg]) => arg), [1, 2, 3]);
    session.close();
  });

  it("binary with its attachments", async () => {
    const first = await open();
    const { sid, pid, offset } = await connected(first);
    first.close();
    await gone(sid);
    await publish({ rooms: [sid], event: "n", args: [Buffer.from("bytes"), "text"] });
    const { session, replayed } = await come_back(pid, offset);
    assert.match(replayed[0], /^451-\["n",{"_placeholder":true,"num":0},"text","/);
    assert.deepEqual(replayed[1], Buffer.from("bytes"));
    session.close();
  });

  it("only what came behind its offset", async () => {
    const first = await open();
    const { sid, pid } = await connected(first);
    await publish({ rooms: [sid], event: "n", args: ["seen"] });
    const [, , offset] = args_of(await first.next());
    await publish({ rooms: [sid], event: "n", args: ["sent, and perhaps lost on the way"] });
    await first.next();
    first.close();
    await gone(sid);
    const { session, replayed, recovered } = await come_back(pid, offset);
    assert.equal(recovered, true);
    assert.deepEqual(replayed.map(args_of).map(([, arg]) => arg), ["sent, and perhaps lost on the way"]);
    session.close();
  });

  it("its rooms, and nothing of those that it had left", async () => {
    const first = await open();
    const { sid, pid, offset } = await connected(first);
    first.send('421["join",["stays","left"]]');
    first.send('422["leave","left"]');
    assert.deepEqual(await first.queue.take(2), ["431[]", "432[]"]);
    first.close();
    await gone(sid);
    await publish({ rooms: ["left"], event: "n", args: ["no"] });
    await publish({ rooms: ["stays"], event: "n", args: ["yes"] });
    const { session, replayed } = await come_back(pid, offset);
    assert.deepEqual(replayed.map(args_of).map(([, arg]) => arg), ["yes"]);
    session.send('423["rooms"]');
    assert.equal(await session.next(), `433[${JSON.stringify([sid, "stays"].sort())}]`);
    session.close();
  });
});

describe("ends that it survives", () => {
  const ends = {
    "a lost connection": (session) => session.close(),
    "a close frame": (session) => session.ws.close(1000),
    "an invalid packet": (session) => session.send("42[nonsense"),
    "bad framing": (session) => session.ws._socket.write(Buffer.from([0xff, 0xff, 0xff])),
  };
  for (const [name, end] of Object.entries(ends)) {
    it(name, async () => {
      const first = await open();
      const { sid, pid, offset } = await connected(first);
      first.ws.on("error", () => {});
      end(first);
      await gone(sid);
      const { session, ...back } = await come_back(pid, offset);
      assert.deepEqual([back.sid, back.recovered], [sid, true]);
      session.close();
    });
  }

  it("a ping timeout", async () => {
    const first = await open({ heartbeat: false });
    const { sid, pid, offset } = await connected(first);
    await first.until_closed();
    const { session, ...back } = await come_back(pid, offset);
    assert.deepEqual([back.sid, back.recovered], [sid, true]);
    session.close();
  });

  it("an Engine.IO close packet over polling", async () => {
    const polling = await PollingSession.open(server, { path });
    const first = { send: (packet) => polling.post(packet), next: () => polling.next() };
    const { sid, pid, offset } = await connected(first);
    await polling.post("1");
    await gone(sid);
    const { session, ...back } = await come_back(pid, offset);
    assert.deepEqual([back.sid, back.recovered], [sid, true]);
    session.close();
  });

  it("any, before the first event has come, too", { skip: skip_on_reference }, async () => {
    const first = await open();
    const { sid, pid } = await connected(first);
    first.close();
    await gone(sid);
    const { session, ...back } = await come_back(pid, undefined);
    assert.deepEqual([back.sid, back.recovered], [sid, true]);
    session.close();
  });

  it("several of them, one after the other", async () => {
    let session = await open();
    const { sid, pid, ...first } = await connected(session);
    let { offset } = first;
    for (let i = 0; i < 3; ++i) {
      session.close();
      await gone(sid);
      const back = await come_back(pid, offset);
      assert.deepEqual([back.sid, back.recovered], [sid, true]);
      ({ session, offset } = back);
    }
    session.close();
  });
});

describe("what begins a new session", () => {
  async function left_behind(end = (session) => session.close()) {
    const first = await open();
    const credentials = await connected(first);
    end(first);
    await gone(credentials.sid);
    first.close();
    return credentials;
  }
  async function is_new(auth, { sid, pid }, namespace) {
    const session = await open();
    const back = await connected(session, { namespace, auth });
    assert.equal(back.recovered, false);
    assert.notEqual(back.sid, sid);
    assert.notEqual(back.pid, pid);
    assert.deepEqual(back.replayed, []);
    session.close();
  }

  it("a DISCONNECT before", async () => {
    const old = await left_behind((session) => session.send("41"));
    await is_new({ pid: old.pid, offset: old.offset }, old);
  });

  it("another namespace", async () => {
    const old = await left_behind();
    await is_new({ pid: old.pid, offset: old.offset }, old, "/orders,");
  });

  const broken = {
    "an unknown pid": (old) => ({ pid: `${old.pid}x`, offset: old.offset }),
    "a pid that is no string": (old) => ({ pid: 42, offset: old.offset }),
    "the public id in the private one's place": (old) => ({ pid: old.sid, offset: old.offset }),
    "an unknown offset": (old) => ({ pid: old.pid, offset: "zzzzzzzzzz" }),
    "an offset that is no string": (old) => ({ pid: old.pid, offset: 7 }),
    "an endless offset": (old) => ({ pid: old.pid, offset: "9".repeat(10_000) }),
    "an offset of odd characters": (old) => ({ pid: old.pid, offset: "\u0000$gt-" }),
  };
  for (const [name, auth_of] of Object.entries(broken)) {
    it(name, async () => {
      const old = await left_behind();
      await is_new(auth_of(old), old);
    });
  }
});

describe("a connection that the server believes alive", { skip: skip_on_reference }, () => {
  it("is taken over: the old one ends, nothing is lost or doubled", async () => {
    const first = await open();
    const { sid, pid, offset } = await connected(first);
    // What the server has sent and the client never got.
    await publish({ rooms: [sid], event: "n", args: [1] });
    const { session, ...back } = await come_back(pid, offset);
    assert.deepEqual([back.sid, back.pid, back.recovered], [sid, pid, true]);
    assert.deepEqual(back.replayed.map(args_of).map(([, arg]) => arg), [1]);
    await first.until_closed();
    await publish({ rooms: [sid], event: "n", args: [2] });
    assert.equal(args_of(await session.next())[1], 2);
    session.close();
  });
});

describe("without recovery on the server", () => {
  it("there is neither private id nor offset, and credentials are ordinary auth", async () => {
    const plain = await start_example("features");
    const session = await WebSocketSession.open(plain, { path });
    session.send('40{"pid":"x","offset":"y"}');
    const { sid, ...rest } = JSON.parse((await session.next()).slice(2));
    assert.deepEqual(rest, {});
    assert.deepEqual(args_of(await session.next()), ["welcome", { id: sid, namespace: "/", auth: { pid: "x", offset: "y" }, recovered: false }]);
    session.close();
    await plain.stop();
  });
});
