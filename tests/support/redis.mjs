// A redis-server of our own: on a free port, without files, killed and restarted at will on the same port.
import { free_port } from "./ports.mjs";
import { Program } from "./program.mjs";
import { connect_redis } from "./redis_url.mjs";
import { eventually } from "./wait.mjs";

const info_ms_max = 3000;
const log_shown_max = 2000;

export class RedisServer {
  // `flags`: of redis-server, behind those that all have.
  static async start(flags = []) {
    const server = new RedisServer(await free_port(), flags);
    await server.start();
    return server;
  }

  // Not started yet: for tests in which Redis comes late.
  constructor(port, flags = []) {
    this.port = port;
    this.flags = flags;
    this.url = `redis://127.0.0.1:${port}`;
    this.connections = [];
  }

  async start() {
    const args = ["--port", this.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no", ...this.flags];
    this.program = new Program("redis-server", args.map(String));
    await this.program.output(/Ready to accept connections/);
    return this;
  }

  // A connection of its own for each caller: an ioredis connection that has lost its server would otherwise replay.
  connect(options = {}) {
    const connection = connect_redis(this.url, options);
    this.connections.push(connection);
    return connection;
  }

  // For the report of a failure: how it is, and the end of its log.
  async describe() {
    const connection = connect_redis(this.url, { maxRetriesPerRequest: 1, commandTimeout: info_ms_max });
    const info = await connection.info("everything").catch((error) => error.message);
    connection.disconnect();
    const lines = info.split("\r\n").filter((line) => /^(uptime_in_seconds|loading|async_loading|connected_clients|blocked_clients|used_memory_human|aof_|total_commands|pubsub_|cmdstat_eval)/.test(line));
    return [`--- Redis ended=${JSON.stringify(this.program.how_it_ended)} ${lines.join(" ") || info}`, this.program.stdout.slice(-log_shown_max)];
  }

  kill() { return this.program.kill(); }

  // Nobody needs what it has. (Asked politely it would refuse while it writes the first append-only file of a replica.)
  async stop() {
    for (const connection of this.connections) connection.disconnect();
    await this.program?.kill();
  }

  // How many connections are subscribed to each of `channels`.
  async subscribers(connection, ...channels) {
    const flat = await connection.pubsub("NUMSUB", ...channels);
    return channels.map((_, i) => Number(flat[2 * i + 1]));
  }

  until_subscribed(connection, channel, count, at_least = false) {
    let last;
    return eventually(() => `${count} subscribers of ${channel}, last seen: ${last}`, async () => {
      [last] = await this.subscribers(connection, channel);
      return last === count || (at_least && last > count);
    });
  }
}
