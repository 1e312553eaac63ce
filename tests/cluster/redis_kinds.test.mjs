// Redis as users run it: over TLS, on a Unix socket, with ACL users, with a numbered database. A notification that one node
// is asked for reaches the client of the other.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { emit, until_ready } from "../support/api.mjs";
import { Certificate } from "../support/certificate.mjs";
import { Client } from "../support/clients.mjs";
import { free_port } from "../support/ports.mjs";
import { RedisServer } from "../support/redis.mjs";
import { skip_on_reference, start_carillon, temporary_folder } from "../support/servers.mjs";

const running = [];
after(() => Promise.all(running.map((one) => one.stop())));

async function start_redis(flags) {
  const redis = await RedisServer.start(flags);
  running.push(redis);
  return redis;
}

async function start_node(url) {
  const node = await start_carillon(["--redis", url]);
  running.push(node);
  return node;
}

// Two nodes are ready and hear each other.
async function assert_works(url) {
  const nodes = await Promise.all([start_node(url), start_node(url)]);
  await Promise.all(nodes.map((node) => until_ready(node)));
  const client = await Client.connect(nodes[1].clients, { auth: { userId: "anna" } });
  await emit(nodes[0], { rooms: ["user:anna"], event: "hello", args: [url.length] });
  assert.deepEqual(await client.next("hello"), [url.length]);
  client.close();
  return nodes;
}

// Whether a node says in its log why its Redis is of no use to it; it goes on, and is not ready.
async function assert_complains(url, complaint) {
  const node = await start_node(url);
  await node.program.output(complaint, { name: "stderr" });
  await until_ready(node, 503);
}

describe("Redis over TLS", { skip: skip_on_reference }, () => {
  const certificate = new Certificate();
  const tls_flags = async (asks_clients) => {
    const port = await free_port();
    return [port, [
      "--tls-port", port, "--tls-cert-file", certificate.cert, "--tls-key-file", certificate.key,
      "--tls-ca-cert-file", certificate.cert, "--tls-auth-clients", asks_clients ? "yes" : "no",
    ]];
  };

  it("is believed if its certificate is trusted and has its name", async () => {
    const [port, flags] = await tls_flags(false);
    await start_redis(flags);
    await assert_works(`rediss://localhost:${port}?ca_file=${certificate.cert}`);
    await assert_works(`rediss://127.0.0.1:${port}?ca_file=${certificate.cert}`);
    await assert_works(`rediss://127.0.0.1:${port}?ca_file=${certificate.cert}&server_name=localhost`);
    await assert_works(`rediss://127.0.0.1:${port}?verify=false`);
  });

  it("is not believed otherwise, and the log says why", async () => {
    const [port, flags] = await tls_flags(false);
    await start_redis(flags);
    await assert_complains(`rediss://localhost:${port}`, /TLS failed: self.signed certificate/);
    await assert_complains(`rediss://localhost:${port}?ca_file=${certificate.cert}&server_name=other.test`, /TLS failed: hostname mismatch/);
    await assert_complains(`rediss://localhost:${port}?ca_file=${new Certificate("others").cert}`, /TLS failed/);
  });

  it("may ask for a certificate", async () => {
    const [port, flags] = await tls_flags(true);
    await start_redis(flags);
    await assert_works(`rediss://localhost:${port}?ca_file=${certificate.cert}&cert_file=${certificate.cert}&key_file=${certificate.key}`);
    await assert_complains(`rediss://localhost:${port}?ca_file=${certificate.cert}`, /certificate required|alert/);
  });

  it("and without it are told apart", async () => {
    const [port, flags] = await tls_flags(false);
    const redis = await start_redis(flags);
    await assert_complains(`rediss://127.0.0.1:${redis.port}`, /TLS/);
    await assert_complains(`redis://127.0.0.1:${port}`, /closed by Redis|reset by peer/);
  });

  it("carries a lot of large messages", async () => {
    const [port, flags] = await tls_flags(false);
    await start_redis(flags);
    const url = `rediss://localhost:${port}?ca_file=${certificate.cert}`;
    const nodes = await Promise.all([start_node(url), start_node(url)]);
    await Promise.all(nodes.map((node) => until_ready(node)));
    const client = await Client.connect(nodes[1].clients, { auth: { userId: "anna" } });
    const text = "x".repeat(60_000);
    for (let i = 0; i < 100; ++i) await emit(nodes[0], { rooms: ["user:anna"], event: "n", args: [i, text] });
    for (let i = 0; i < 100; ++i) {
      const [number, got] = await client.next("n");
      assert.equal(number, i);
      assert.equal(got.length, text.length);
    }
    client.close();
  });
});

describe("Redis on a Unix socket", { skip: skip_on_reference }, () => {
  it("is reached by its path, with a database", async () => {
    const path = join(temporary_folder(), "redis.sock");
    const redis = await start_redis(["--unixsocket", path]);
    await assert_works(`redis+unix://${path}`);
    await assert_works(`redis+unix://${path}?db=3`);
    const clients = await redis.connect().client("LIST");
    assert.equal(clients.match(/name=carillon-\S+ .* db=3 /g).length, 4, "two connections of each of two nodes");
  });

  it("that is not there is waited for", async () => {
    const path = join(temporary_folder(), "redis.sock");
    const node = await start_node(`redis+unix://${path}`);
    await node.program.output(/redis\.sock: No such file/, { name: "stderr" });
    await start_redis(["--unixsocket", path]);
    await until_ready(node);
  });
});

describe("Redis with logins", { skip: skip_on_reference }, () => {
  it("a password alone is that of the default user", async () => {
    const redis = await start_redis(["--requirepass", "se:cr@t"]);
    await assert_works(`redis://:${encodeURIComponent("se:cr@t")}@127.0.0.1:${redis.port}`);
    await assert_complains(`redis://:wrong@127.0.0.1:${redis.port}`, /WRONGPASS/);
    await assert_complains(redis.url, /NOAUTH/);
  });

  it("an ACL user needs only what the documentation lists, and a database works", async () => {
    const rights = ["-@all", "+ping", "+client|setname", "+select", "+publish", "+subscribe", "+unsubscribe", "+pubsub|numsub"];
    const redis = await start_redis(["--user", "carillon", "on", ">pw", "resetchannels", "&socket.io*", ...rights]);
    await assert_works(`redis://carillon:pw@127.0.0.1:${redis.port}/5`);
    const clients = await redis.connect().client("LIST");
    assert.equal(clients.match(/name=carillon-\S+ .* db=5 .* user=carillon/g).length, 4);
  });

  it("an ACL user who may not subscribe is not ready, and the log says why", async () => {
    const redis = await start_redis(["--user", "carillon", "on", ">pw", "allchannels", "-@all", "+ping", "+publish"]);
    await assert_complains(`redis://carillon:pw@127.0.0.1:${redis.port}`, /NOPERM/);
  });
});

describe("Redis that hangs", { skip: skip_on_reference }, () => {
  it("is noticed as fast as redis.timeout_ms says", async () => {
    const redis = await start_redis([]);
    const node = await start_carillon(["--redis", redis.url, "--set", "redis.timeout_ms=200"]);
    running.push(node);
    await until_ready(node);
    process.kill(redis.program.pid, "SIGSTOP");
    try {
      await node.program.output(/has not answered for 200 ms/, { name: "stderr" });
      await until_ready(node, 503);
    } finally {
      process.kill(redis.program.pid, "SIGCONT");
    }
    await until_ready(node);
  });
});
