import { cluster_matrix } from "../../support/cluster_matrix.mjs";
import { RedisServer } from "../../support/redis.mjs";
import { operations } from "./operations/all.mjs";

for (const mode of ["static", "dynamic", "dynamic-private"]) {
  cluster_matrix(`sharded, ${mode}`, { adapter: "sharded", mode, backend: RedisServer }, operations);
}
