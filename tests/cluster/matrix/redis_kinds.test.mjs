// Where Redis is not one server.
import { cluster_matrix } from "../../support/cluster_matrix.mjs";
import { RedisCluster } from "../../support/redis_cluster.mjs";
import { RedisSentinel } from "../../support/redis_sentinel.mjs";
import { operations } from "./operations/all.mjs";

cluster_matrix("pub/sub, Sentinel", { adapter: "pubsub", backend: RedisSentinel }, operations);
cluster_matrix("pub/sub, Cluster", { adapter: "pubsub", backend: RedisCluster }, operations);
cluster_matrix("sharded, Cluster", { adapter: "sharded", mode: "dynamic", backend: RedisCluster }, operations);
cluster_matrix("streams, Cluster", { adapter: "streams", backend: RedisCluster, flags: ["--recovery"] }, operations);
