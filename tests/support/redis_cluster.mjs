// A Redis Cluster of our own: three masters without replicas, made by redis-cli as users make theirs.
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
  // `replicas`: of each master.
  static async start({ replicas = 0 } = {}) {
    const cluster = new RedisCluster();
    const count = 3 * (1 + replicas);
    const ports = await free_ports(2 * count);
    const folder = temporary_folder();
    cluster.connections = [];
    cluster.servers = ports.slice(0, count).map((port, i) => new RedisServer(port, [
      "--cluster-enabled", "yes", "--cluster-port", ports[count + i], "--cluster-node-timeout", 1000,
      "--cluster-config-file", join(folder, `${port}.conf`), "--dir", folder,
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
      return /cluster_state:ok/.test(info) && info.includes(`cluster_known_nodes:${this.servers.length}\r`);
    });
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
