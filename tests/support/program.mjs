// Child processes that never outlive the test file: started with a captured output, awaited by their ready line, ended by
// their pid. When the file fails, what they wrote to stderr is printed, because it usually says why.
import { spawn } from "node:child_process";
import { writeSync } from "node:fs";
import { after } from "node:test";
import { deadline } from "./wait.mjs";

const started = new Set();
const output_shown_max = 8000;

export class Program {
  // `cwd` defaults to the caller's; `env` is added to the environment; `listens`: its input stays open, for say().
  constructor(command, args = [], { cwd, env, listens = false } = {}) {
    this.title = [command, ...args].join(" ");
    this.stdout = "";
    this.stderr = "";
    this.child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
    this.child.stdin.on("error", () => {});
    if (!listens) this.child.stdin.end();
    this.watchers = new Set();
    for (const name of ["stdout", "stderr"]) {
      this.child[name].setEncoding("utf8").on("data", (text) => {
        this[name] += text;
        for (const watch of [...this.watchers]) watch();
      });
    }
    // "close" and not "exit": the output is complete only then.
    this.exited = new Promise((resolve) => {
      this.child.on("error", (error) => resolve({ code: null, signal: null, error }));
      this.child.on("close", (code, signal) => resolve({ code, signal }));
    });
    this.exited.then((how) => { this.how_it_ended = how; });
    started.add(this);
  }

  // One line, for a program that answers each with one: gives the answer.
  async say(line) {
    this.lines_said = (this.lines_said ?? 0) + 1;
    const answers = new RegExp(`^(?:.*\n){${this.lines_said - 1}}(.*)\n`);
    this.child.stdin.write(`${line}\n`);
    return (await this.output(answers))[1];
  }

  get pid() { return this.child.pid; }

  // The first match of `pattern` in the output stream `name`.
  async output(pattern, { name = "stdout", timeout_ms = 30_000 } = {}) {
    let watch;
    const matched = new Promise((resolve) => {
      watch = () => { const match = this[name].match(pattern); if (match) resolve(match); };
      this.watchers.add(watch);
      watch();
    });
    const ended = this.exited.then((how) => {
      const match = this[name].match(pattern);
      if (match) return match;
      throw new Error(`${this.title} ended (${JSON.stringify(how.error?.message ?? how)}) without ${pattern}\n${this.stdout}${this.stderr}`);
    });
    ended.catch(() => {});
    try {
      return await deadline(Promise.race([matched, ended]), timeout_ms, () => `${this.title}: no ${pattern} in\n${this.stdout}${this.stderr}`);
    } finally {
      this.watchers.delete(watch);
    }
  }

  // Asks politely; a program that does not follow is killed and reported, because ending on SIGTERM is its contract.
  async stop(signal = "SIGTERM", timeout_ms = 30_000) {
    if (!this.how_it_ended) this.child.kill(signal);
    try {
      return await deadline(this.exited, timeout_ms, () => `${this.title} did not end on ${signal}\n${this.stdout.slice(-output_shown_max)}${this.stderr.slice(-output_shown_max)}`);
    } catch (error) {
      this.child.kill("SIGKILL");
      throw error;
    }
  }

  async kill() { return this.stop("SIGKILL"); }
}

// Runs to the end: { code, signal, stdout, stderr }.
export async function run(command, args, { timeout_ms = 30_000, ...options } = {}) {
  const program = new Program(command, args, options);
  try {
    const how = await deadline(program.exited, timeout_ms, () => `${program.title} did not end\n${program.stdout}${program.stderr}`);
    return { ...how, stdout: program.stdout, stderr: program.stderr };
  } finally {
    if (!program.how_it_ended) program.child.kill("SIGKILL");
  }
}

// What a failed test has left behind (programs, connections to them) would keep its file from ending. Hooks run in the order
// of their registration, and these must come after the file's own: so they are registered behind the file's evaluation.
const cleanups = [];
export function at_file_end(cleanup) { cleanups.unshift(cleanup); }
queueMicrotask(() => after(async () => {
  for (const cleanup of cleanups) await cleanup();
  give_up_after(file_end_ms_max, "its tests are done, but it does not end");
}));

// A file that hangs all the same is a failure with a name. Tests have deadlines of their own, which say more.
const file_ms_max = 20 * 60_000;
const file_end_ms_max = 60_000; // a client gives a peer that does not close 30 s
function give_up_after(ms, what) {
  if (!process.env.NODE_TEST_CONTEXT) return; // no child of `node --test`, such as the soak test
  setTimeout(() => {
    writeSync(2, `--- ${process.argv[1]} after ${ms} ms: ${what}; active: ${process.getActiveResourcesInfo().join(", ")}\n`);
    process.exit(1);
  }, ms).unref();
}
give_up_after(file_ms_max, "still running");

at_file_end(() => {
  for (const program of started) if (!program.how_it_ended) program.child.kill("SIGKILL");
});

process.on("exit", (code) => {
  for (const program of started) {
    if (!program.how_it_ended) program.child.kill("SIGKILL");
    if (code !== 0 && program.stderr) writeSync(2, `--- stderr of ${program.title}\n${program.stderr.slice(-output_shown_max)}\n`);
  }
});
// Without these an interrupted run would leave its servers behind: "exit" is not emitted for a deadly signal.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
