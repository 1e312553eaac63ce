// A Redis Cluster of our own: three masters, made by redis-cli as users make theirs, whose slots can be moved.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { free_ports } from "./ports.mjs";
import { RedisServer } from "./redis.mjs";
import { connect_redis } from "./redis_url.mjs";
import { temporary_folder } from "./servers.mjs";
import { eventually } from "./wait.mjs";

const run = promisify(execFile);

export class RedisCluster {
  // `replicas`: of each master. `durable`: a server that is started again has all that it has confirmed.
  static async start({ replicas = 0, durable = false } = {}) {
    const cluster = new RedisCluster();
    const count = 3 * (1 + replicas);
    const ports = await free_ports(2 * count);
    const folder = temporary_folder();
    cluster.connections = [];
    cluster.servers = ports.slice(0, count).map((port, i) => new RedisServer(port, [
      "--cluster-enabled", "yes", "--cluster-port", ports[count + i], "--cluster-node-timeout", 1000,
      "--cluster-config-file", join(folder, `${port}.conf`), "--dir", folder, "--dbfilename", `${port}.rdb`,
      "--repl-diskless-sync-delay", 0,
      ...(durable ? ["--appendonly", "yes", "--appendfsync", "always", "--appenddirname", `appendonly-${port}`] : []),
    ]));
    await Promise.all(cluster.servers.map((server) => server.start()));
    cluster.addresses = cluster.servers.map(({ port }) => `127.0.0.1:${port}`);
    cluster.url = `redis+cluster://${cluster.addresses.join(",")}`;
    await run("redis-cli", ["--cluster", "create", ...cluster.addresses, "--cluster-replicas", String(replicas), "--cluster-yes"]);
    await Promise.all(cluster.servers.map((server) => cluster.until_whole(server)));
    return cluster;
  }

  // Each server has heard of all slots and of all others.
  async until_whole(server) {
    const control = server.connect();
    let info;
    await eventually(() => `a whole cluster at ${server.port}: ${info}`, async () => {
      info = await control.cluster("INFO");
      if (!/cluster_state:ok/.test(info) || !info.includes(`cluster_known_nodes:${this.servers.length}\r`)) return false;
      info = await control.info(); // both from one moment: a link that comes up begins the rewrite
      // A new replica's, which comes back without what it got if it is killed before.
      if (/aof_rewrite_(scheduled|in_progress):1/.test(info)) return false;
      return /role:master/.test(info) || /master_link_status:up/.test(info); // what it has not got it cannot replace
    });
  }

  // A connection of its own to one server, kept until the end.
  control(server) {
    server.cluster_control ??= server.connect();
    return server.cluster_control;
  }

  async slot_of(key) { return this.control(this.servers[0]).cluster("KEYSLOT", key); }

  // The server that knows itself as the slot's master: others may not have heard yet.
  master_of(slot) {
    const owns = async (server) => {
      const ranges = await this.control(server).cluster("SLOTS");
      return ranges.some(([first, last, [, port]]) => first <= slot && slot <= last && port === server.port);
    };
    return eventually(`a master of slot ${slot}`, async () => {
      for (const server of this.servers) if (!server.is_dead && await owns(server)) return server;
      return undefined;
    });
  }

  // A sharded channel has so many subscribers at the master of its slot.
  async until_subscribed(channel, count) {
    const slot = await this.slot_of(channel);
    let last;
    await eventually(() => `${count} subscribers of ${channel}, last seen: ${last}`, async () => {
      [, last] = await this.control(await this.master_of(slot)).pubsub("SHARDNUMSUB", channel);
      return Number(last) === count;
    });
  }

  // All servers know the same of each other. Before another one gets slots: one that gets them declares itself the newest,
  // and if two do so at the same time, a slot may end up with nobody.
  async until_agreed() {
    const view = async (server) => (await this.control(server).cluster("NODES")).trim().split("\n")
      .map((line) => line.split(" ")).map(([id, , , , , , epoch, , ...slots]) => [id, epoch, ...slots].join(" ")).sort().join("\n");
    let views;
    await eventually(() => `servers that agree: ${views}`, async () => {
      views = await Promise.all(this.servers.filter((server) => !server.is_dead).map(view));
      return views.every((one) => one === views[0]);
    });
  }

  // As redis-cli --cluster reshard does it: keys first, then the slot.
  async move_slot(slot, to) {
    const move = await this.begin_move(slot, to);
    await move?.end();
  }

  // Nothing has moved yet: { move_keys(keys), end() }. None: it is there already.
  async begin_move(slot, to) {
    const from = await this.master_of(slot);
    if (from === to) return undefined;
    const [source, target] = [this.control(from), this.control(to)];
    const [source_id, target_id] = await Promise.all([source.cluster("MYID"), target.cluster("MYID")]);
    await target.cluster("SETSLOT", slot, "IMPORTING", source_id);
    await source.cluster("SETSLOT", slot, "MIGRATING", target_id);
    const move_keys = async (keys) => {
      for (const key of keys) await source.call("MIGRATE", "127.0.0.1", to.port, key, 0, 5000);
    };
    const end = async () => {
      for (;;) {
        const keys = await source.cluster("GETKEYSINSLOT", slot, 10);
        if (!keys.length) break;
        await move_keys(keys);
      }
      for (const control of [target, source]) await control.cluster("SETSLOT", slot, "NODE", target_id);
      for (const server of this.servers.filter((one) => one !== from && one !== to && !one.is_dead))
        await this.control(server).cluster("SETSLOT", slot, "NODE", target_id).catch(() => {}); // a replica hears of it
    };
    return { move_keys, end };
  }

  // Kills a master that has a replica; resolves when that has taken its place.
  async fail_over(master) {
    const kill = await this.prepare_fail_over(master);
    await kill();
  }

  // The same in two steps: the master dies at once when what this resolves to is called.
  async prepare_fail_over(master) {
    const slots = (await this.control(master).cluster("SLOTS")).filter(([, , [, port]]) => port === master.port);
    const living = this.servers.filter((one) => !one.is_dead);
    const states = await Promise.all(living.map((server) => this.control(server).info("replication")));
    const replicas = living.filter((_, i) => states[i].includes(`master_port:${master.port}\r`));
    const is_promoted = async () => {
      const roles = await Promise.all(replicas.map((replica) => this.control(replica).info("replication")));
      return roles.some((role) => /role:master/.test(role));
    };
    return async () => {
      master.is_dead = true;
      await master.kill();
      // Masters that are short of processors may not agree in a minute: then the replica is told to.
      await eventually("a vote for the replica", is_promoted, 15_000).catch(async () => {
        console.error(`${master.port} is dead, and nobody was promoted:\n${await this.control(replicas[0]).cluster("NODES")}`);
        await this.control(replicas[0]).cluster("FAILOVER", "TAKEOVER");
      });
      await eventually("the replica's promotion", async () => {
        const now = await this.master_of(slots[0][0]);
        return now !== master && /role:master/.test(await this.control(now).info("replication"));
      });
    };
  }

  // What was published so far has come to all servers. They tell each other up to 40 ms late (Nagle's algorithm and delayed
  // acknowledgements), in order: so a text of each at each says it.
  async until_heard() {
    const living = this.servers.filter((one) => !one.is_dead);
    const channel = `heard-${Math.random()}`;
    const heard = living.map(() => new Set());
    const ears = living.map((server) => connect_redis(`redis://127.0.0.1:${server.port}`));
    for (const [i, ear] of ears.entries()) {
      ear.on("message", (_, from) => heard[i].add(from));
      await ear.subscribe(channel);
    }
    for (const server of living) await this.control(server).call("PUBLISH", channel, String(server.port));
    await eventually("everybody to hear everybody", () => heard.every((from) => from.size === living.length));
    for (const ear of ears) ear.disconnect();
  }

  connect(options) {
    const connection = connect_redis(this.url, options);
    this.connections.push(connection);
    return connection;
  }

  async stop() {
    for (const connection of this.connections) connection.disconnect();
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}
