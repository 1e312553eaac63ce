// Clients that mean harm: what they cost is bounded, documented (docs/limits.md) and counted, and others do not notice.
// Growth is measured in metrics and resident memory, not in time.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, describe, it } from "node:test";
import { emit } from "../support/api.mjs";
import { Client } from "../support/clients.mjs";
import { http } from "../support/engine_session.mjs";
import { closed, metrics, refused, until_metric, until_quiet } from "../support/metrics.mjs";
import { RawConnection, RawWebSocket, frame, opcodes } from "../support/raw.mjs";
import { skip_on_reference, start_carillon } from "../support/servers.mjs";
import { eventually, is_slow } from "../support/wait.mjs";

const websocket_path = "/socket.io/?EIO=4&transport=websocket";
const polling_path = "/socket.io/?EIO=4&transport=polling";

let node;
afterEach(async () => { await node?.stop(); node = undefined; });

async function start(...settings) {
  node = await start_carillon(["--shards", "1", ...settings.flatMap((setting) => ["--set", setting])]);
  const { hostname, port } = new URL(node.clients);
  return { host: hostname, port: Number(port) };
}
const resident_kb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${node.program.pid}/status`, "utf8"))[1]);

// A client in namespace "/", byte by byte.
async function connected(server) {
  const raw = await RawWebSocket.open(server, { path: websocket_path });
  raw.send(frame(opcodes.text, "40"));
  while (!(await raw.text()).startsWith("40")) { /* the open packet */ }
  return raw;
}

describe("slow readers and slowloris beside honest clients", { skip: skip_on_reference }, () => {
  it("the former are thrown out, the latter get every message, in order", async () => {
    const server = await start("limits.send_queue_bytes_max=65536", "limits.http_header_timeout_ms=1000");
    const [slow_count, slowloris_count, messages] = is_slow ? [10, 5, 100] : [40, 20, 300];
    const honest = await Promise.all(Array.from({ length: 10 }, () => Client.connect(node.clients)));
    const slow = await Promise.all(Array.from({ length: slow_count }, () => connected(server)));
    for (const { connection } of slow) connection.socket.pause();
    const slowloris = await Promise.all(Array.from({ length: slowloris_count }, async () => {
      const raw = await RawConnection.open(server);
      raw.write(`GET ${polling_path} HTTP/1.1\r\nHost: x\r\nX: `);
      const drip = setInterval(() => raw.write("x"), 100);
      raw.ended.then(() => clearInterval(drip));
      return raw;
    }));
    const body = "x".repeat(16_384);
    for (let i = 0; i < messages; ++i) await emit(node, { event: "n", args: [i, body] });
    for (const client of honest) {
      const got = await client.queue("n").take(messages);
      assert.deepEqual(got.map(([i]) => i), Array.from({ length: messages }, (_, i) => i));
    }
    await until_metric(node, closed("slow_consumer"), (count) => count === slow_count);
    await until_metric(node, refused("header_timeout"), (count) => count === slowloris_count);
    for (const raw of slowloris) assert.equal((await raw.response_head()).status, 408);
    const after = await metrics(node);
    assert.equal(after.carillon_sessions, honest.length);
    assert.equal(after.carillon_send_queue_bytes, 0, "nothing waits for those who are gone");
    for (const client of honest) client.close();
    for (const raw of [...slow, ...slowloris]) raw.close();
  });

  it("beyond the total those for whom most waits go first", async () => {
    const server = await start("limits.send_queue_bytes_total_max=4194304", "limits.send_queue_bytes_max=67108864");
    const honest = await Client.connect(node.clients);
    const slow = await Promise.all(Array.from({ length: 4 }, () => connected(server)));
    for (const { connection } of slow) connection.socket.pause();
    const body = "x".repeat(60_000);
    for (let i = 0; i < 200 && (await metrics(node))[closed("overloaded")] < 4; ++i) {
      await emit(node, { event: "n", args: [i, body] });
      assert.equal((await honest.next("n"))[0], i);
      assert.ok((await metrics(node)).carillon_send_queue_bytes <= 4_194_304);
    }
    assert.equal((await metrics(node))[closed("overloaded")], 4);
    honest.close();
    for (const raw of slow) raw.close();
  });
});

describe("numbers", { skip: skip_on_reference }, () => {
  it("connections of one address", async () => {
    const server = await start("limits.connections_per_address_max=3", "limits.unlimited_networks=[]");
    const welcome = await Promise.all(Array.from({ length: 3 }, () => RawConnection.open(server)));
    for (const raw of welcome) {
      raw.write(`GET ${polling_path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      assert.equal((await raw.response_head()).status, 200);
    }
    const fourth = await RawConnection.open(server);
    await fourth.until_ended();
    await until_metric(node, refused("too_many_from_address"), (count) => count === 1);
    welcome[0].close();
    await eventually("a place", async () => {
      const raw = await RawConnection.open(server);
      raw.write(`GET /other HTTP/1.1\r\nHost: x\r\n\r\n`);
      const outcome = await Promise.race([raw.response_head().then(() => true), raw.ended.then(() => false)]);
      raw.close();
      return outcome;
    });
    for (const raw of welcome) raw.close();
  });

  it("sessions and handshakes of one address", async () => {
    await start("limits.handshakes_per_second_max=1", "limits.unlimited_networks=[]");
    let last;
    for (let i = 0; i < 100; ++i) {
      last = await http(`${node.clients}${polling_path}`);
      if (i < 10) assert.equal(last.status, 200);
      if (last.status !== 200) break;
    }
    assert.equal(last.status, 429);
    assert.deepEqual(JSON.parse(last.body), { code: 4, message: "Too many connections" });
    assert.ok((await metrics(node))[refused("too_many_handshakes")] >= 1);
  });

  it("connections of all", async () => {
    const server = await start("limits.connections_max=2");
    const first = await connected(server);
    const second = await connected(server);
    const third = await RawConnection.open(server);
    await third.until_ended();
    await until_metric(node, refused("too_many_connections"), (count) => count === 1);
    for (const raw of [first, second]) raw.close();
  });

  it("rooms of one client", async () => {
    await start("limits.rooms_per_socket_max=3", 'clients.subscribe=["*"]');
    const client = await Client.connect(node.clients);
    assert.deepEqual(await client.ask("subscribe", ["a", "b", "c"]), [{ rooms: ["a", "b", "c"] }]);
    assert.deepEqual(await client.ask("subscribe", "d"), [{ error: "you are in too many rooms" }]);
    assert.deepEqual(await client.ask("subscribe", "a"), [{ rooms: ["a"] }]);
    assert.equal((await metrics(node)).carillon_joins_refused_total, 1);
    client.close();
  });
});

describe("floods", { skip: skip_on_reference }, () => {
  const small = ["limits.packets_per_second_max=100", "limits.packets_burst_max=1000"];

  const frames = {
    "WebSocket pings": () => frame(opcodes.ping, "x"),
    "WebSocket pongs": () => frame(opcodes.pong, "x"),
    "empty messages": () => frame(opcodes.text, "4"),
    "Engine.IO pongs": () => frame(opcodes.text, "3"),
    "events that nobody listens to": () => frame(opcodes.text, '42["nothing"]'),
    "acknowledgements of nothing": () => frame(opcodes.text, "431[]"),
    "connects to unknown namespaces": () => frame(opcodes.text, "40/nowhere,"),
  };
  for (const [name, make] of Object.entries(frames)) {
    it(`${name}: closed with 1008, or for what they are`, async () => {
      const server = await start(...small);
      const raw = await connected(server);
      raw.send(...Array.from({ length: 2000 }, make));
      const code = await raw.close_code();
      if (name === "empty messages") return assert.equal(code, 1005, "a packet that is none ends the session first");
      assert.equal(code, 1008);
      assert.equal((await metrics(node))[closed("rate_limited")], 1);
      raw.close();
    });
  }

  it("fragments of a byte", async () => {
    const server = await start(...small);
    const raw = await connected(server);
    raw.send(frame(opcodes.text, "4", { fin: false }), ...Array.from({ length: 2000 }, () => frame(opcodes.continuation, "2", { fin: false })));
    assert.equal(await raw.close_code(), 1008);
    raw.close();
  });

  it("a payload of thousands of packets", async () => {
    await start(...small);
    const { sid } = JSON.parse((await http(`${node.clients}${polling_path}`)).body.slice(1));
    const answer = await http(`${node.clients}${polling_path}&sid=${sid}`, { method: "POST", body: Array(2000).fill("3").join("\x1e") });
    assert.equal(answer.status, 429);
    assert.equal((await http(`${node.clients}${polling_path}&sid=${sid}`)).status, 400);
    assert.equal((await metrics(node))[closed("rate_limited")], 1);
  });
});

describe("memory under floods that the default limits let pass", { skip: skip_on_reference }, () => {
  const cases = {
    "connects to unknown namespaces, answers unread": async (server) => {
      const raw = await connected(server);
      raw.connection.socket.pause();
      for (let i = 0; i < 40; ++i) raw.send(...Array.from({ length: 1000 }, (_, n) => frame(opcodes.text, `40/unknown-${i}-${n},`)));
      return raw.connection;
    },
    "pings, pongs unread": async (server) => {
      const raw = await connected(server);
      raw.connection.socket.pause();
      for (let i = 0; i < 40; ++i) raw.send(...Array.from({ length: 1000 }, () => frame(opcodes.ping, "x".repeat(125))));
      return raw.connection;
    },
    "a packet whose last attachment never comes": async (server) => {
      const raw = await connected(server);
      raw.send(frame(opcodes.text, '4510-["x",{"_placeholder":true,"num":0}]'));
      for (let i = 0; i < 9; ++i) raw.send(frame(opcodes.binary, Buffer.alloc(900_000)));
      return raw.connection;
    },
    "a thousand handshakes pipelined, answers unread": async (server) => {
      const raw = await RawConnection.open(server);
      raw.socket.pause();
      for (let i = 0; i < 10; ++i) raw.write(`GET ${polling_path} HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(500)}\r\n\r\n`.repeat(100));
      return raw;
    },
    "a request in pieces of a byte": async (server) => {
      const raw = await RawConnection.open(server);
      for (const byte of `GET ${polling_path}&x=${"x".repeat(3000)} HTTP/1.1\r\nHost: x\r\n\r\n`) raw.write(byte);
      assert.equal((await raw.response_head()).status, 200);
      return raw;
    },
  };
  for (const [name, attack] of Object.entries(cases)) {
    it(name, async () => {
      const server = await start();
      const honest = await Client.connect(node.clients);
      (await attack(server)).close();  // once before, so that what is allocated for good is there
      await until_quiet(node);
      const before_kb = resident_kb();
      const connections = [];
      for (let i = 0; i < 5; ++i) connections.push(await attack(server));
      await until_quiet(node);
      const grown_kb = resident_kb() - before_kb;
      assert.ok(grown_kb < (is_slow ? 400_000 : 60_000), `${grown_kb} kB more`);
      await emit(node, { event: "n", args: ["still there"] });
      assert.deepEqual(await honest.next("n"), ["still there"]);
      for (const connection of connections) connection.close();
      honest.close();
    });
  }
});
