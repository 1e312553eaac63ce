// carillon doctor, and what docs/cluster.md says that a user of Redis needs.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { readiness, until_ready } from "../support/api.mjs";
import { connect, data_of, notify, numbers_to, take, until_delivered } from "../support/inbox.mjs";
import { RedisServer } from "../support/redis.mjs";
import { run_carillon, skip_on_reference, start_carillon } from "../support/servers.mjs";

// As the table has it: what notifications need is read there, "+... ~...".
const documented = readFileSync(new URL("../../docs/cluster.md", import.meta.url), "utf8");
const [, inbox_commands, inbox_keys] = /^\| notifications [^|]*\| `([^`]*)` \| `([^`]*)` \|$/m.exec(documented);
const for_inbox = [...inbox_commands.split(" "), inbox_keys];
const for_all = ["+ping", "+client|setname", "+publish", "+subscribe", "+unsubscribe", "+pubsub|numsub", "&socket.io*", ...for_inbox];
const needs = {
  pubsub: { rights: for_all, settings: [] },
  "pubsub by pattern": { rights: [...for_all, "+psubscribe", "+punsubscribe", "&socket.io#/#*"], settings: ["--set", "cluster.pattern_subscription=true"] },
  sharded: { rights: [...for_all, "+spublish", "+ssubscribe", "+sunsubscribe", "+pubsub|shardnumsub"], settings: ["--set", 'cluster.adapter="sharded"'] },
  streams: {
    rights: [...for_all, "+xadd", "+xread", "+xrange", "+xinfo|stream", "~socket.io*", "+get", "+set", "+del", "+eval", "~sio:session:*"],
    settings: ["--set", 'cluster.adapter="streams"'],
  },
};

it("the documentation names the commands of the scripts", { skip: skip_on_reference }, () => {
  const folder = new URL("../../src/inbox/redis_scripts/", import.meta.url);
  const scripts = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), "utf8")).join("");
  const used = new Set([...scripts.matchAll(/\bcall\('([A-Z]+)'/g)].map(([, command]) => `+${command.toLowerCase()}`));
  const of_the_store = ["+eval", "+evalsha", "+get", "+set"]; // outside of scripts
  assert.deepEqual(inbox_commands.split(" ").sort(), [...new Set([...used, ...of_the_store])].sort());
});

describe("carillon doctor and the rights of a user", { skip: skip_on_reference }, () => {
  let redis;
  let control;
  let users = 0;
  before(async () => {
    redis = await RedisServer.start();
    control = redis.connect();
  });
  after(() => redis?.stop());

  async function url_for(rights) {
    const name = `user${++users}`;
    await control.call("ACL", "SETUSER", name, "on", ">secret", "resetchannels", ...rights);
    return `redis://${name}:secret@127.0.0.1:${redis.port}`;
  }
  const doctor = (url, settings) => run_carillon(["doctor", "--redis", url, ...settings]);

  for (const [name, { rights, settings }] of Object.entries(needs)) {
    it(`${name}: with the rights of the documentation a node gets ready, and doctor agrees`, async () => {
      const url = await url_for(rights);
      const node = await start_carillon(["--redis", url, ...settings]);
      try {
        await until_ready(node);
      } finally {
        await node.stop();
      }
      const { code, stdout } = await doctor(url, settings);
      assert.match(stdout, /The user may do all that this adapter and notifications need/);
      assert.match(stdout, /Redis \d+\.\d+.* answers/);
      assert.equal(code, 0, stdout);
      assert.deepEqual(await control.keys("socket.io-inbox:*doctor*"), [], "nothing is left behind");
    });

    it(`${name}: with them notifications are accepted and delivered, in every way`, async () => {
      const node = await start_carillon(["--redis", await url_for(rights), ...settings, "--set", "inbox.notifications_per_user_max=3"]);
      try {
        await until_ready(node);
        const user = `${name} user`.replaceAll(/[ /]/g, "-");
        for (const n of numbers_to(5)) await notify(node, [user, "bob"], n, { collapse_key: n < 3 ? "score" : undefined, idempotency_key: `${name} ${n}` });
        const client = await connect(node, user, { deviceId: "phone" });
        const got = await take(client, 3);
        assert.deepEqual(data_of(got), [3, 4, 5]);
        await until_delivered(node, got[2][1].id);
        assert.deepEqual(await client.ask("inbox:read", { positions: [got[0][1].position] }), [{ unread: 2 }]);
        client.close();
        assert.equal(await readiness(node), 200);
      } finally {
        await node.stop();
      }
    });
  }

  for (const [name, missing, said] of [
    ["sharded", "ssubscribe", /ERROR .*may not subscribe to socket\.io#.*SSUBSCRIBE/],
    ["sharded", "pubsub|shardnumsub", /ERROR .*SHARDNUMSUB/],
    ["pubsub by pattern", "psubscribe", /ERROR .*PSUBSCRIBE/],
    ["streams", "xread", /ERROR .*XREAD/],
    ["streams", "xinfo|stream", /ERROR .*XINFO/],
    ["pubsub", inbox_keys, /ERROR .*keep notifications in socket\.io-inbox:\* \(HSET\).*key/],
    ...inbox_commands.split(" ").map((right) => ["pubsub", right.slice(1), new RegExp(`ERROR .*keep notifications in socket\\.io-inbox:\\* \\(${right.slice(1).toUpperCase()}\\).*NOPERM`)]),
  ]) {
    it(`${name}: says that ${missing} is missing`, async () => {
      const { rights, settings } = needs[name];
      const { code, stdout } = await doctor(await url_for(rights.filter((right) => right !== missing && right !== `+${missing}`)), settings);
      assert.match(stdout, said);
      assert.equal(code, 1, stdout);
    });
  }
});
