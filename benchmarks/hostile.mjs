// What hostile clients cost honest ones: the fan-out load (1,000 WebSocket clients, who check that nothing is lost and
// measure latency) without and with 2,000 slow readers and 500 slowloris connections beside it, who come back at once when
// they are thrown out.
//
//   node benchmarks/hostile.mjs [--clients 1000] [--slow 2000] [--slowloris 500] [--rate 20] [--bytes 2048] [--seconds 15]
//                               [--runs 3] [--queue-bytes 65536] [--ratio-max 2]
//
// The server runs on the first core, all clients on the last. Runs without and with attackers take turns. Prints a Markdown
// table, and fails if an honest client lost a message or its p99 latency with attackers is more than --ratio-max times that
// without (the median of the runs; 0: not looked at). --queue-bytes is the server's send_queue_bytes_max: small enough for
// slow readers to be dropped again and again during the run.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = `${root}${process.env.CARILLON_BIN_DIR ?? "build/release/bin"}`;
const last_core = String(cpus().length - 1);

const { values } = parseArgs({
  options: {
    clients: { type: "string", default: "1000" },
    slow: { type: "string", default: "2000" },
    slowloris: { type: "string", default: "500" },
    rate: { type: "string", default: "20" },
    bytes: { type: "string", default: "2048" },
    seconds: { type: "string", default: "15" },
    runs: { type: "string", default: "3" },
    "queue-bytes": { type: "string", default: "65536" },
    "ratio-max": { type: "string", default: "2" },
  },
});
const run = promisify(execFile);

// A program, and what it prints on stdout once it is ready.
async function start(command, ready) {
  const child = spawn(command[0], command.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
  child.stdout.setEncoding("utf8");
  child.printed = "";
  child.stdout.on("data", (text) => { child.printed += text; });
  while (!ready.test(child.printed)) {
    const [kind] = await Promise.race([once(child.stdout, "data").then(() => ["data"]), once(child, "exit").then(() => ["exit"])]);
    if (kind === "exit") throw new Error(`${command.join(" ")} ended early`);
  }
  return child;
}

async function stop(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  if (signal) child.kill(signal);
  await once(child, "exit");
}

async function measure(with_attackers) {
  const server = await start(
    ["taskset", "-c", "0", `${bin}/carillon-example-bench`, "--port", "0", "--send-queue-bytes-max", values["queue-bytes"]], /^ready (\S+)/);
  const target = /^ready (\S+)/.exec(server.printed)[1];
  let attack;
  try {
    if (with_attackers)
      attack = await start(
        ["taskset", "-c", last_core, `${bin}/hostile_load`, "--target", target, "--slow", values.slow, "--slowloris", values.slowloris,
          "--seconds", String(Number(values.seconds) + 60)], /attacking/);
    const { stdout } = await run("taskset", [
      "-c", last_core, `${bin}/fanout_load`, "--target", target, "--pid", String(server.pid), "--clients", values.clients,
      "--seconds", values.seconds, "--rate", values.rate, "--bytes", values.bytes,
    ], { timeout: (Number(values.seconds) + 60) * 1000 });  // it waits for the last message, also for one that is lost
    const honest = JSON.parse(stdout);
    attack?.stdin.end();
    if (attack) await stop(attack);
    return { ...honest, ...(attack ? JSON.parse(attack.printed.split("\n")[1]) : {}) };
  } finally {
    if (attack) await stop(attack, "SIGKILL");
    await stop(server, "SIGKILL");
  }
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const ms = (us) => `${(us / 1000).toFixed(1)} ms`;

const runs = { without: [], with: [] };
for (let i = 0; i < Number(values.runs); i++)
  for (const kind of ["without", "with"]) {
    const result = await measure(kind === "with");
    runs[kind].push(result);
    console.error(`${kind} attackers: ${JSON.stringify(result)}`);
  }

const lost = ({ published, delivered }) => published * Number(values.clients) - delivered;
console.log(`${values.clients} honest WebSocket clients, ${values.rate} broadcasts of ${values.bytes} bytes per second for ${values.seconds} s; ` +
  `${values.slow} slow readers, ${values.slowloris} slowloris connections; medians of ${values.runs} alternating runs, ${cpus().length} cores\n`);
console.log("| | messages per run | lost in all runs | latency p50 | p99 | server CPU per honest message | slow readers dropped | slowloris answered with 408 |");
console.log("|---|---|---|---|---|---|---|---|");
for (const [kind, results] of Object.entries(runs)) {
  const of = (key) => median(results.map((result) => result[key] ?? 0));
  console.log(`| ${kind} attackers | ${of("delivered")} | ${results.reduce((sum, result) => sum + lost(result), 0)} | ` +
    `${ms(of("latency_us_p50"))} | ${ms(of("latency_us_p99"))} | ${of("cpu_us_per_message").toFixed(2)} us | ` +
    `${of("slow_readers_dropped")} | ${of("slowloris_answered_408")} |`);
}
const ratios = runs.with.map((result, i) => result.latency_us_p99 / runs.without[i].latency_us_p99);
const ratio = median(ratios);
console.log(`\np99 with attackers over p99 without: ${ratios.map((each) => each.toFixed(2)).join(", ")}; median ${ratio.toFixed(2)}`);
const ratio_max = Number(values["ratio-max"]);
if (ratio_max > 0 && ratio > ratio_max) {
  console.error(`hostile clients made others wait: the median ratio is above ${ratio_max}`);
  process.exitCode = 1;
}
if ([...runs.without, ...runs.with].some((result) => lost(result) !== 0)) {
  console.error("honest clients lost messages");
  process.exitCode = 1;
}
