// A master, a replica, and sentinels that watch them.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { free_ports } from "./ports.mjs";
import { Program } from "./program.mjs";
import { RedisServer } from "./redis.mjs";
import { connect_redis } from "./redis_url.mjs";
import { temporary_folder } from "./servers.mjs";
import { eventually } from "./wait.mjs";

const master_name = "mymaster";

export class RedisSentinel {
  // `password`: of the servers, `sentinel_password`: of the sentinels; none is needed if it is not given.
  static async start({ sentinels = 3, password, sentinel_password } = {}) {
    const setup = new RedisSentinel();
    setup.connections = [];
    Object.assign(setup, { password, sentinel_password });
    const flags = ["--dir", temporary_folder(), ...(password ? ["--requirepass", password, "--masterauth", password] : [])];
    setup.master = await RedisServer.start(flags); // the folder: where a replica keeps what it is sent
    setup.replica = await RedisServer.start([...flags, "--replicaof", "127.0.0.1", setup.master.port, "--repl-diskless-sync-delay", 0]);
    setup.ports = await free_ports(sentinels);
    const login = password ? `:${encodeURIComponent(password)}@` : "";
    const options = sentinel_password ? `?sentinel_password=${encodeURIComponent(sentinel_password)}` : "";
    setup.url = `redis+sentinel://${login}${setup.ports.map((port) => `127.0.0.1:${port}`).join(",")}/${master_name}${options}`;
    const quorum = Math.floor(sentinels / 2) + 1;
    setup.programs = await Promise.all(setup.ports.map((port) => start_sentinel(port, setup.master.port, quorum, setup)));
    await setup.until_watched(sentinels);
    return setup;
  }

  // Every sentinel knows the replica, and the others: only then can they agree on a failover.
  async until_watched(sentinels) {
    for (const port of this.ports) {
      const control = connect_redis(`redis://127.0.0.1:${port}`, { password: this.sentinel_password });
      this.connections.push(control);
      let state;
      await eventually(() => `a sentinel that knows all: ${JSON.stringify(state)}`, async () => {
        const flat = await control.call("SENTINEL", "MASTER", master_name);
        state = Object.fromEntries(flat.flatMap((key, i) => (i % 2 ? [] : [[key, flat[i + 1]]])));
        return state["num-slaves"] === "1" && state["num-other-sentinels"] === String(sentinels - 1) && state.flags === "master";
      });
    }
  }

  // The master is killed; resolves when the replica has become the master. The old one does not come back.
  async fail_over() {
    await this.master.kill();
    [this.master, this.replica] = [this.replica, this.master];
    const control = this.master.connect({ password: this.password });
    await eventually("the replica's promotion", async () => (await control.role())[0] === "master");
  }

  connect(options) {
    const connection = connect_redis(this.url, options);
    this.connections.push(connection);
    return connection;
  }

  async stop() {
    for (const connection of this.connections) connection.disconnect();
    await Promise.all([...this.programs, this.master, this.replica].map((part) => part.stop()));
  }
}

async function start_sentinel(port, master_port, quorum, { password, sentinel_password }) {
  const file = join(temporary_folder(), "sentinel.conf"); // which the sentinel keeps its state in
  writeFileSync(file, [
    `port ${port}`, "bind 127.0.0.1", `sentinel monitor ${master_name} 127.0.0.1 ${master_port} ${quorum}`,
    `sentinel down-after-milliseconds ${master_name} 500`, `sentinel failover-timeout ${master_name} 3000`,
    ...(password ? [`sentinel auth-pass ${master_name} ${password}`] : []),
    ...(sentinel_password ? [`requirepass ${sentinel_password}`, `sentinel sentinel-pass ${sentinel_password}`] : []),
  ].join("\n"));
  const program = new Program("redis-server", [file, "--sentinel"]);
  await program.output(/\+monitor master/);
  return program;
}
