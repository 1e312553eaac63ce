// A TCP proxy that hands everything on `delay_ms` later, in order. Change `delay_ms` at will.
import { connect, createServer } from "node:net";

export class SlowProxy {
  static async start(port, delay_ms = 0) {
    const proxy = new SlowProxy();
    proxy.delay_ms = delay_ms;
    proxy.sockets = new Set();
    proxy.server = createServer((near) => {
      const far = connect(port, "127.0.0.1");
      for (const [from, to] of [[near, far], [far, near]]) proxy.#pass(from, to);
    });
    await new Promise((resolve) => proxy.server.listen(0, "127.0.0.1", resolve));
    proxy.url = `redis://127.0.0.1:${proxy.server.address().port}`;
    return proxy;
  }

  #pass(from, to) {
    from.setNoDelay(true);
    this.sockets.add(from);
    let due = 0; // a shorter delay does not let later bytes overtake
    from.on("data", (bytes) => {
      due = Math.max(due, performance.now() + this.delay_ms);
      setTimeout(() => to.write(bytes), due - performance.now());
    });
    from.on("error", () => {});
    from.on("close", () => {
      this.sockets.delete(from);
      to.destroy();
    });
  }

  stop() {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(resolve));
  }
}
