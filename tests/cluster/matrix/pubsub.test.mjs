import { cluster_matrix } from "../../support/cluster_matrix.mjs";
import { RedisServer } from "../../support/redis.mjs";
import { operations } from "./operations/all.mjs";

cluster_matrix("pub/sub", { adapter: "pubsub", backend: RedisServer }, operations);
