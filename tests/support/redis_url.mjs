// A connection of ioredis for every kind of URL that Carillon takes. It waits for its Redis, however long that is away.
import Redis from "ioredis";

const patient = { retryStrategy: () => 50, maxRetriesPerRequest: null };

const addresses = (text, default_port) => text.split(",").map((address) => {
  const [host, port = default_port] = address.split(":");
  return { host, port: Number(port) };
});

export function connect_redis(url, options = {}) {
  const connection = connection_to(url, { ...patient, ...options });
  connection.on("error", () => {}); // while Redis is away
  return connection;
}

function connection_to(url, options) {
  const [, kind, rest] = /^redis\+(cluster|sentinel):\/\/(.+)$/.exec(url) ?? [];
  if (kind === "cluster") {
    return new Redis.Cluster(addresses(rest, 6379), {
      clusterRetryStrategy: options.retryStrategy, redisOptions: { maxRetriesPerRequest: null }, shardedSubscribers: true,
    });
  }
  if (kind === "sentinel") {
    const [sentinels, name] = rest.split("/");
    return new Redis({ ...options, sentinels: addresses(sentinels, 26379), name, sentinelRetryStrategy: options.retryStrategy });
  }
  // The check is an INFO, which fails on a connection that has subscribed by then.
  return new Redis(url, { enableReadyCheck: false, ...options });
}
