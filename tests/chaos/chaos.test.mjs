// Real processes, three nodes that send notifications to one another, and what may happen to them and to their Redis. In each
// run: no repeats, order kept, local traffic goes on, what was sent while both ends were connected arrives, what is dropped
// is counted, and the cluster is whole again, and everybody hears everybody, within two seconds after Redis answers.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { until_ready } from "../support/api.mjs";
import { free_port } from "../support/ports.mjs";
import { Proxy } from "../support/proxy.mjs";
import { RedisServer } from "../support/redis.mjs";
import { RedisSentinel } from "../support/redis_sentinel.mjs";
import { start_carillon, temporary_folder } from "../support/servers.mjs";
import { connect_redis } from "../support/redis_url.mjs";
import { Traffic } from "../support/traffic.mjs";
import { eventually } from "../support/wait.mjs";

const adapters = ["pubsub", "sharded", "streams"];
const recovery_ms_max = 2000;
const before_ms = 1500;
const after_ms = 1500;
const all = [0, 1, 2];
const rows = []; // for the table in docs/cluster.md

function start_node(i, redis_url, adapter, flags, ports = ["0", "0"]) {
  return start_carillon(["--listen", `127.0.0.1:${ports[0]}`, "--api-listen", `127.0.0.1:${ports[1]}`, "--redis", redis_url,
    "--node-name", `node-${i}`, "--shards", "1", "--set", `cluster.adapter="${adapter}"`, ...flags], { listen: false });
}

// Runs traffic around `disturb`, which gives the moment from which on Redis answered again.
async function run(test, { adapter, redis, urls, flags = [] }, disturb) {
  const nodes = await Promise.all(all.map((i) => start_node(i, urls?.[i] ?? redis.url, adapter, flags)));
  for (const node of nodes) await until_ready(node);
  const traffic = await Traffic.start(nodes);
  try {
    await sleep(before_ms);
    const answers_at = await disturb(traffic, nodes);
    const recovery_ms = Math.round(await traffic.until_recovered(answers_at));
    await sleep(after_ms);
    await traffic.stop();
    const delivery_ms = Math.round(traffic.delivery_ms(answers_at));
    const report = { recovery_ms, delivery_ms, ...(await traffic.assess()) };
    test.diagnostic(JSON.stringify(report));
    rows.push(`| ${[test.name, ...Object.values(report)].join(" | ")} |`);
    assert.ok(recovery_ms < recovery_ms_max, `whole again only ${recovery_ms} ms after Redis answered`);
    assert.ok(delivery_ms < recovery_ms_max, `delivers to all only ${delivery_ms} ms after Redis answered`);
  } finally {
    traffic.end();
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

// The moment at which a new connection to Redis gets its answer.
async function until_answered(url) {
  const control = connect_redis(url, { retryStrategy: () => 10, maxRetriesPerRequest: null });
  try {
    await control.ping();
    return performance.now();
  } finally {
    control.disconnect();
  }
}

describe("chaos", { concurrency: 3 }, () => {
  after(() => console.log(rows.sort().join("\n")));
  for (const adapter of adapters) {
    it(`${adapter}: Redis is killed and restarted`, async (test) => {
      // A stream that is on disk loses nothing; Pub/Sub keeps nothing anyway.
      const kept = adapter === "streams";
      const redis = await RedisServer.start(kept ? ["--appendonly", "yes", "--appendfsync", "always", "--dir", temporary_folder()] : []);
      await run(test, { adapter, redis }, async (traffic) => {
        traffic.begin_crash(all, kept);
        await redis.kill();
        await sleep(4000);
        await redis.start();
        const at = await until_answered(redis.url);
        traffic.end_fault(all);
        return at;
      });
      await redis.stop();
    });

    it(`${adapter}: Redis hangs for 10 s`, async (test) => {
      const redis = await RedisServer.start();
      await run(test, { adapter, redis }, async (traffic) => {
        traffic.begin_fault(all);
        redis.program.child.kill("SIGSTOP");
        await sleep(10_000);
        redis.program.child.kill("SIGCONT");
        const at = await until_answered(redis.url);
        traffic.end_fault(all);
        return at;
      });
      await redis.stop();
    });

    it(`${adapter}: one node is cut off from Redis`, async (test) => {
      const redis = await RedisServer.start();
      const proxy = await Proxy.start(redis.port);
      const urls = [redis.url, `redis://127.0.0.1:${proxy.port}`, redis.url];
      await run(test, { adapter, redis, urls }, async (traffic) => {
        traffic.begin_fault([1]);
        proxy.cut();
        await sleep(12_000);
        proxy.mend();
        const at = performance.now();
        traffic.end_fault([1]);
        return at;
      });
      proxy.stop();
      await redis.stop();
    });

    it(`${adapter}: Sentinel fails over`, async (test) => {
      const redis = await RedisSentinel.start();
      await run(test, { adapter, redis }, async (traffic) => {
        traffic.begin_crash(all);
        await redis.fail_over();
        const at = performance.now();
        traffic.end_fault(all);
        return at;
      });
      await redis.stop();
    });

    it(`${adapter}: a node is killed and comes back`, async (test) => {
      const redis = await RedisServer.start();
      await run(test, { adapter, redis }, async (traffic, nodes) => {
        traffic.begin_death(1);
        const ports = [nodes[1].clients, nodes[1].api].map((url) => new URL(url).port);
        await nodes[1].program.kill();
        await sleep(1000);
        Object.assign(nodes[1], await start_node(1, redis.url, adapter, [], ports));
        traffic.end_fault([1]);
        await eventually("its clients to be back", () => traffic.listeners.every(({ socket }) => socket.connected));
        return performance.now();
      });
      await redis.stop();
    });
  }
});
