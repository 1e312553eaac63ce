// carillon doctor, and what docs/cluster.md says that a user of Redis needs.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { until_ready } from "../support/api.mjs";
import { RedisServer } from "../support/redis.mjs";
import { run_carillon, skip_on_reference, start_carillon } from "../support/servers.mjs";

// As the table has it.
const for_all = ["+ping", "+client|setname", "+publish", "+subscribe", "+unsubscribe", "+pubsub|numsub", "&socket.io*"];
const needs = {
  pubsub: { rights: for_all, settings: [] },
  "pubsub by pattern": { rights: [...for_all, "+psubscribe", "+punsubscribe", "&socket.io#/#*"], settings: ["--set", "cluster.pattern_subscription=true"] },
  sharded: { rights: [...for_all, "+spublish", "+ssubscribe", "+sunsubscribe", "+pubsub|shardnumsub"], settings: ["--set", 'cluster.adapter="sharded"'] },
  streams: {
    rights: [...for_all, "+xadd", "+xread", "+xrange", "+xinfo|stream", "~socket.io*", "+get", "+set", "+del", "+eval", "~sio:session:*"],
    settings: ["--set", 'cluster.adapter="streams"'],
  },
};

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
      assert.match(stdout, /The user may do all that this adapter needs/);
      assert.match(stdout, /warning .*\+info/);
      assert.equal(code, 0, stdout);
      const { stdout: with_info } = await doctor(await url_for([...rights, "+info"]), settings);
      assert.doesNotMatch(with_info, /\+info/);
      assert.match(with_info, /Redis \d+\.\d+.* answers/);
    });
  }

  for (const [name, missing, said] of [
    ["sharded", "ssubscribe", /ERROR .*may not subscribe to socket\.io#.*SSUBSCRIBE/],
    ["sharded", "pubsub|shardnumsub", /ERROR .*SHARDNUMSUB/],
    ["pubsub by pattern", "psubscribe", /ERROR .*PSUBSCRIBE/],
    ["streams", "xread", /ERROR .*XREAD/],
    ["streams", "xinfo|stream", /ERROR .*XINFO/],
    ["streams", "eval", /ERROR .*EVAL/],
  ]) {
    it(`${name}: says that +${missing} is missing`, async () => {
      const { rights, settings } = needs[name];
      const { code, stdout } = await doctor(await url_for(rights.filter((right) => right !== `+${missing}`)), settings);
      assert.match(stdout, said);
      assert.equal(code, 1, stdout);
    });
  }
});
