// Waiting for things that happen. Timeouts are generous, since they only decide how long a failure takes to show.
import { setTimeout as sleep } from "node:timers/promises";

// ./check sets CARILLON_SLOW for builds with sanitizers: the same tests, with less load where load is not the point.
export const is_slow = Boolean(process.env.CARILLON_SLOW);
export const patience_ms = Number(process.env.CARILLON_TEST_PATIENCE_MS ?? (is_slow ? 60_000 : 20_000));

export async function deadline(promise, timeout_ms, describe) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      const what = typeof describe === "function" ? describe() : describe;
      reject(new Error(`nothing after ${timeout_ms} ms: ${what}`));
    }, timeout_ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

// The arguments of the next `event`.
export function once(emitter, event, timeout_ms = patience_ms) {
  let listener;
  const happened = new Promise((resolve) => {
    listener = (...args) => resolve(args);
    emitter.once(event, listener);
  });
  return deadline(happened, timeout_ms, `event ${event}`).finally(() => emitter.off(event, listener));
}

// For states that announce themselves by no event (a Redis reply, an HTTP status): asks until `check` gives a truthy value.
export async function eventually(describe, check, timeout_ms = patience_ms) {
  const give_up_at = performance.now() + timeout_ms;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (performance.now() > give_up_at) throw new Error(`not within ${timeout_ms} ms: ${typeof describe === "function" ? describe() : describe}`);
    await sleep(20);
  }
}

// What arrives, in order, for a reader who may come before or after it.
export class Queue {
  constructor(title) {
    this.title = title;
    this.items = [];
    this.readers = [];
  }

  push(item) {
    const reader = this.readers.shift();
    if (reader) reader.resolve(item);
    else this.items.push(item);
  }

  // Nothing will come any more: waiting and later readers fail with the reason.
  end(reason) {
    this.ended = reason;
    for (const reader of this.readers.splice(0)) reader.reject(new Error(`${this.title}: ${reason}`));
  }

  next(timeout_ms = patience_ms) {
    if (this.items.length) return Promise.resolve(this.items.shift());
    if (this.ended) return Promise.reject(new Error(`${this.title}: ${this.ended}`));
    const reader = {};
    const item = new Promise((resolve, reject) => Object.assign(reader, { resolve, reject }));
    this.readers.push(reader);
    return deadline(item, timeout_ms, this.title).finally(() => {
      const index = this.readers.indexOf(reader);
      if (index >= 0) this.readers.splice(index, 1);
    });
  }

  async take(count, timeout_ms = patience_ms) {
    const taken = [];
    while (taken.length < count) taken.push(await this.next(timeout_ms));
    return taken;
  }
}
