import { cluster_matrix } from "../../support/cluster_matrix.mjs";
import { RedisServer } from "../../support/redis.mjs";
import { operations } from "./operations/all.mjs";

cluster_matrix("streams", { adapter: "streams", backend: RedisServer, flags: ["--recovery"] }, operations);
