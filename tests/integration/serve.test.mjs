// `carillon serve`: its defaults, its ready line, its settings, and how it ends.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { call } from "../support/api.mjs";
import { Client } from "../support/clients.mjs";
import { http } from "../support/engine_session.mjs";
import { ready_line, run_carillon, skip_on_reference, start_carillon, start_command, temporary_folder } from "../support/servers.mjs";
import { once } from "../support/wait.mjs";

const handshake = async (node) => JSON.parse((await http(`${node.clients}/socket.io/?EIO=4&transport=polling`)).body.slice(1));

// One sentence for people: not a stack trace, not a page of help.
function assert_one_sentence(stderr, ...parts) {
  const lines = stderr.trim().split("\n");
  assert.equal(lines.length, 1, stderr);
  assert.match(lines[0], /\w+ .*\w/);
  for (const part of parts) assert.match(lines[0], part);
}

describe("carillon serve", { skip: skip_on_reference }, () => {
  let node;
  before(async () => { node = await start_carillon(["--node-name", "bell-1.a_b"]); });
  after(() => node?.stop());

  it("prints exactly one line, and clients can connect then", async () => {
    assert.match(node.program.stdout, ready_line);
    assert.equal(node.program.stdout.trim().split("\n").length, 1);
    assert.equal(node.node, "bell-1.a_b");
    assert.notEqual(new URL(node.clients).port, "0");
    const client = await Client.connect(node.clients);
    client.close();
  });

  it("has the defaults of Socket.IO for clients", async () => {
    const { sid, ...rest } = await handshake(node);
    assert.match(sid, /^[A-Za-z0-9_-]{20,}$/);
    assert.deepEqual(rest, { upgrades: ["websocket"], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1_000_000 });
  });

  it("answers health, readiness and metrics", async () => {
    const client = await Client.connect(node.clients);
    for (const path of ["/healthz", "/readyz"]) assert.equal((await call(node, path, { method: "GET" })).status, 200, path);
    const metrics = await call(node, "/metrics", { method: "GET" });
    assert.equal(metrics.status, 200);
    assert.match(metrics.headers["content-type"], /^text\/plain/);
    assert.match(metrics.body, /^# TYPE carillon_\w+ (gauge|counter)$/m);
    assert.match(metrics.body, /^carillon_\w+({[^}]*})? \d/m);
    const names = metrics.body.split("\n").filter((line) => line && !line.startsWith("#")).map((line) => line.slice(0, line.lastIndexOf(" ")));
    assert.deepEqual(names.filter((name, i) => names.indexOf(name) !== i), [], "each sample is there once");
    client.close();
  });

  it("serves the page", async () => {
    const page = await call(node, "/", { method: "GET" });
    assert.equal(page.status, 200);
    assert.match(page.headers["content-type"], /^text\/html/);
    for (const id of ["user", "connect", "status", "feed", "to", "message", "send", "send-result"]) assert.match(page.body, new RegExp(`id="${id}"`));
  });

  it("refuses an unknown namespace and a user id that is none", async () => {
    for (const userId of ["", "x".repeat(257), "a\nb"]) {
      const client = new Client(node.clients, { auth: { userId } });
      await assert.rejects(client.connected, (error) => error.message.length > 0 && error.message !== "websocket error", JSON.stringify(userId));
      client.close();
    }
    const number = await Client.connect(node.clients, { auth: { userId: 42 } });
    number.close();
  });

  it("listens where the design says when told nothing", async (t) => {
    // Only this test needs fixed ports; where they are taken, the program must say so and not hang.
    const program = start_command(["serve"]);
    const ready = await program.output(ready_line).catch((error) => error);
    if (ready instanceof Error) {
      assert.equal((await program.exited).code, 1, String(ready));
      t.skip("port 3000 or 3001 is taken here");
      return;
    }
    assert.deepEqual(ready.slice(1, 3), ["127.0.0.1:3000", "127.0.0.1:3001"]);
    assert.match(ready[3], /^[A-Za-z0-9._-]{5,64}$/);
    assert.equal((await program.stop()).code, 0);
  });
});

describe("settings", { skip: skip_on_reference }, () => {
  const file_with = (text) => {
    const path = join(temporary_folder(), "carillon.toml");
    writeFileSync(path, text);
    return path;
  };
  const ping_interval = async (flags, env) => {
    const node = await start_carillon(flags, { env });
    const { pingInterval } = await handshake(node);
    await node.stop();
    return pingInterval;
  };

  it("come from the flag, else the environment, else the file, else the default", async () => {
    const config = ["--config", file_with("[engine]\nping_interval_ms = 11000\n")];
    const env = { CARILLON_ENGINE_PING_INTERVAL_MS: "12000" };
    const set = ["--set", "engine.ping_interval_ms=13000"];
    assert.equal(await ping_interval(config), 11_000);
    assert.equal(await ping_interval(config, env), 12_000);
    assert.equal(await ping_interval([...config, ...set], env), 13_000);
  });

  it("take several listeners", async () => {
    const node = await start_carillon(["--listen", "127.0.0.1:0"]);
    const client = await Client.connect(node.clients);
    client.close();
    await node.stop();
  });

  const bad = [
    ["an unknown flag", ["--frobnicate"], /frobnicate/],
    ["an unknown setting", ["--set", "engine.pong=1"], /engine\.pong/],
    ["a value of the wrong type", ["--set", 'engine.ping_interval_ms="soon"'], /engine\.ping_interval_ms/],
    ["a value out of range", ["--set", "engine.ping_interval_ms=-1"], /engine\.ping_interval_ms/],
    ["--set without a value", ["--set", "engine.ping_interval_ms"], /engine\.ping_interval_ms|SECTION\.KEY/],
    ["an address that is none", ["--listen", "nowhere"], /nowhere/],
    ["a port beyond 65535", ["--listen", "127.0.0.1:99999"], /99999/],
    ["an unknown auth mode", ["--auth", "maybe"], /maybe|auth/],
    ["a node name with odd characters", ["--node-name", "a b"], /a b|node/],
    ["a Redis URL that is none", ["--redis", "http://localhost"], /redis/i],
    ["no shard count", ["--shards", "many"], /many|shards/],
    ["a file that is not there", ["--config", "/nowhere/carillon.toml"], /\/nowhere\/carillon\.toml/],
    ["--auth none on a public address without --insecure", ["--listen", "0.0.0.0:0"], /--insecure/],
    ["an API on a public address without keys", ["--api-listen", "0.0.0.0:0"], /api\.keys|key/],
  ];
  for (const [name, flags, part] of bad) {
    it(`${name}: exit 2 and one sentence`, async () => {
      const addresses = ["--listen", "--api-listen"].filter((flag) => !flags.includes(flag)).flatMap((flag) => [flag, "127.0.0.1:0"]);
      const { code, stdout, stderr } = await run_carillon(["serve", ...addresses, ...flags]);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      assert_one_sentence(stderr, part);
    });
  }

  const bad_files = [
    ["that is no TOML", "[engine\nping_interval_ms = 1\n", /carillon\.toml:1/],
    ["with an unknown key", "[engine]\n\nping_pong_ms = 1\n", /carillon\.toml:3.*ping_pong_ms/],
    ["with a wrong type", '[engine]\nping_interval_ms = "soon"\n', /carillon\.toml:2.*ping_interval_ms.*number/],
  ];
  for (const [name, text, part] of bad_files) {
    it(`a file ${name}: exit 2 and one sentence`, async () => {
      const { code, stderr } = await run_carillon(["serve", "--listen", "127.0.0.1:0", "--api-listen", "127.0.0.1:0", "--config", file_with(text)]);
      assert.equal(code, 2, stderr);
      assert_one_sentence(stderr, part);
    });
  }

  it("a bad environment variable: exit 2 and one sentence that names it", async () => {
    const env = { CARILLON_ENGINE_PING_INTERVAL_MS: "soon" };
    const { code, stderr } = await run_carillon(["serve", "--listen", "127.0.0.1:0", "--api-listen", "127.0.0.1:0"], { env });
    assert.equal(code, 2, stderr);
    assert_one_sentence(stderr, /CARILLON_ENGINE_PING_INTERVAL_MS|engine\.ping_interval_ms/);
  });

  it("--auth none on a public address with --insecure is allowed", async () => {
    const node = await start_carillon(["--listen", "0.0.0.0:0", "--insecure"]);
    assert.equal((await node.stop()).code, 0);
  });

  it("an API on a public address with keys is allowed", async () => {
    const node = await start_carillon(["--api-listen", "0.0.0.0:0", "--set", 'api.keys=["k"]'], { listen: false, env: { CARILLON_CLIENTS_LISTEN: '["127.0.0.1:0"]' } });
    assert.equal((await node.stop()).code, 0);
  });
});

describe("ends", { skip: skip_on_reference }, () => {
  it("a port in use: exit 1 and one sentence, for clients and for the API", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = `127.0.0.1:${taken.address().port}`;
    for (const [mine, other] of [["--listen", "--api-listen"], ["--api-listen", "--listen"]]) {
      const { code, stdout, stderr } = await run_carillon(["serve", mine, address, other, "127.0.0.1:0"]);
      assert.equal(code, 1, stderr);
      assert.equal(stdout, "");
      assert_one_sentence(stderr, new RegExp(address));
    }
    taken.close();
  });

  it("a second node on the same port: exit 1, although shards share ports", async () => {
    const first = await start_carillon(["--shards", "2"]);
    const address = new URL(first.clients).host;
    const { code, stderr } = await run_carillon(["serve", "--shards", "2", "--listen", address, "--api-listen", "127.0.0.1:0"]);
    assert.equal(code, 1, stderr);
    assert_one_sentence(stderr, new RegExp(address));
    await first.stop();
  });

  for (const signal of ["SIGTERM", "SIGINT"]) {
    it(`${signal}: clients lose their transport and may come back, exit 0`, async () => {
      const node = await start_carillon();
      const clients = await Promise.all(["polling", "websocket"].map((mode) => Client.connect(node.clients, { mode })));
      const reasons = Promise.all(clients.map((client) => once(client.socket, "disconnect")));
      const { code } = await node.program.stop(signal);
      assert.equal(code, 0);
      // "io server disconnect" would keep official clients from reconnecting.
      for (const [reason] of await reasons) assert.match(reason, /^transport (close|error)$/);
    });
  }

  it("SIGTERM right after the ready line: exit 0", async () => {
    const node = await start_carillon();
    assert.equal((await node.program.stop()).code, 0);
  });

  it("SIGTERM ends a node whose clients do not listen", async () => {
    const node = await start_carillon(["--set", "drain.timeout_ms=500"]);
    const client = await Client.connect(node.clients);
    const { ws } = client.socket.io.engine.transport;
    ws._socket.pause(); // as a client that has stalled: it takes no close frame
    assert.equal((await node.program.stop()).code, 0);
    client.close();
    ws.terminate();
  });
});
