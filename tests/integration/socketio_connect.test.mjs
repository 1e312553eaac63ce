// Socket.IO packets by hand: connecting and disconnecting (shared/reference.md 13, 25-29).
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { Witness } from "../support/clients.mjs";
import { PollingSession, WebSocketSession } from "../support/engine_session.mjs";
import { start_example } from "../support/servers.mjs";

let server;
let witness;
before(async () => {
  server = await start_example("protocol");
  witness = await Witness.of(server.url);
});
afterEach(() => witness.is_served());
after(async () => {
  witness?.close();
  await server?.stop();
});

const open = () => WebSocketSession.open(server, { path: "/socket.io/" });

// Sends a CONNECT and takes the answer; the server's handler then says `auth`.
async function connect(session, packet = "40", auth = {}) {
  session.send(packet);
  const namespace = packet.match(/^40(\/[^,{]*)/)?.[1];
  const prefix = namespace ? `${namespace},` : "";
  const answer = await session.next();
  assert.ok(answer.startsWith(`40${prefix}{`), answer);
  const { sid } = JSON.parse(answer.slice(2 + prefix.length));
  assert.match(sid, /^[A-Za-z0-9_-]{20,}$/);
  assert.equal(await session.next(), `42${prefix}${JSON.stringify(["auth", auth])}`);
  return sid;
}

async function message_comes_back(session, prefix = "") {
  session.send(`42${prefix}["message",1]`);
  assert.equal(await session.next(), `42${prefix}["message-back",1]`);
}

describe("CONNECT", () => {
  const accepted = [["40", {}], ["40{}", {}], ['40{"token":"a,b","deep":{"x":[1]}}', { token: "a,b", deep: { x: [1] } }]];
  for (const [packet, auth] of accepted) {
    it(`${packet} hands over the auth`, async () => {
      const session = await open();
      await connect(session, packet, auth);
      await message_comes_back(session);
      session.close();
    });
  }

  for (const packet of ["40null", "40[]", '40"x"', "40true", "40{", "40{}}", "40{x:1}", "40/custom,[]"]) {
    it(`${packet} closes the connection`, async () => {
      const session = await open();
      session.send(packet);
      await session.until_closed();
      assert.deepEqual(session.queue.items, []);
    });
  }

  for (const packet of ["40/custom", "40/custom,"]) {
    it(`${packet} needs no comma and no other namespace`, async () => {
      const session = await open();
      await connect(session, packet);
      session.close();
    });
  }

  it("gives each namespace of a connection its own id and auth", async () => {
    const session = await open();
    const first = await connect(session, '40{"a":1}', { a: 1 });
    const second = await connect(session, '40/custom,{"b":2}', { b: 2 });
    assert.equal(new Set([first, second, session.sid]).size, 3);
    await message_comes_back(session);
    session.close();
  });

  it("for an unknown namespace gets CONNECT_ERROR, and the connection stays", async () => {
    const session = await open();
    for (const namespace of ["/x", "/custom/more", "/CUSTOM", "/custom?token=1", "/ö", "/__proto__"]) {
      session.send(`40${namespace},{}`);
      assert.equal(await session.next(), `44${namespace},{"message":"Invalid namespace"}`);
    }
    await connect(session);
    session.send("40/x,");
    assert.equal(await session.next(), '44/x,{"message":"Invalid namespace"}');
    await message_comes_back(session);
    session.close();
  });
});

describe("what closes the whole connection, without DISCONNECT packets", () => {
  const cases = [
    ["a second CONNECT", "40"],
    ["an event for a namespace not joined", '42/custom,["message"]'],
    ["an acknowledgement for a namespace not joined", "43/custom,1[]"],
    ["a DISCONNECT of a namespace not joined", "41/custom,"],
    ["an event for an unknown namespace", '42/nowhere,["message"]'],
    ["CONNECT_ERROR from a client", '44{"message":"no"}'],
    ["DISCONNECT with a payload", '41{"a":1}'],
  ];
  for (const [name, packet] of cases) {
    it(name, async () => {
      const session = await open();
      await connect(session);
      session.send(packet);
      await session.until_closed();
      assert.deepEqual(session.queue.items, []);
    });
  }

  for (const packet of ['42["message"]', "431[]", "41", '451-["message",{"_placeholder":true,"num":0}]']) {
    it(`${packet} before CONNECT`, async () => {
      const session = await open();
      session.send(packet);
      await session.until_closed();
      assert.deepEqual(session.queue.items, []);
    });
  }

  it("over polling: the next GET gets a noop and a close packet, then the sid is unknown", async () => {
    const session = await PollingSession.open(server, { path: "/socket.io/" });
    // No GET hangs: the server has to keep its last words for the next one.
    await session.post('42["message"]');
    const { status, body } = await session.get();
    assert.equal(status, 200);
    assert.equal(body, "6\x1e1");
    assert.ok(await session.is_gone());
  });
});

describe("DISCONNECT", () => {
  it("is not answered, and a later CONNECT gives a new id", async () => {
    const session = await open();
    const first = await connect(session);
    session.send("41");
    await connect(session, "40/custom,");
    const second = await connect(session);
    assert.notEqual(first, second);
    await message_comes_back(session);
    session.close();
  });

  it("of one namespace leaves the others", async () => {
    const session = await open();
    await connect(session);
    await connect(session, "40/custom,");
    session.send("41/custom,");
    await message_comes_back(session);
    session.close();
  });
});

describe("connect timeout (1 s)", () => {
  it("closes a connection that joins no namespace", async () => {
    const since = performance.now();
    const session = await open();
    await session.until_closed();
    assert.ok(performance.now() - since > 980);
  });

  it("does not count a refused namespace as joined", async () => {
    const session = await open();
    session.send("40/x,");
    assert.equal(await session.next(), '44/x,{"message":"Invalid namespace"}');
    await session.until_closed();
  });

  it("ends with the first CONNECT that succeeds, to whichever namespace, and does not start again", async () => {
    const session = await open();
    await connect(session, "40/custom,");
    session.send("41/custom,");
    // Past the timeout, in pings: the fourth comes 1.2 s after the handshake.
    let pings = 0;
    session.ws.on("message", (data) => { pings += data.toString() === "2"; });
    while (pings < 5) await new Promise((resolve) => session.ws.once("message", resolve));
    assert.equal(session.ws.readyState, session.ws.OPEN);
    await connect(session);
    session.close();
  });
});
