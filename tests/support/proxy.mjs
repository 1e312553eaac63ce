// A TCP proxy that can be cut: then nothing passes in either direction, nobody is told, and what was on its way comes when
// it is mended. As with a cable, TCP loses nothing by that. strand() is worse: one end hears that the connection is gone, the
// other one never does.
import { connect, createServer } from "node:net";
import { once } from "./wait.mjs";

export class Proxy {
  // `target_port`: or a function that gives one for each connection.
  static async start(target_port) {
    const proxy = new Proxy();
    proxy.links = new Set();
    proxy.stranded = new Set();
    proxy.is_cut = false;
    proxy.server = createServer({ allowHalfOpen: true }, (near) => proxy.accept(near, target_port)).listen(0, "127.0.0.1");
    await once(proxy.server, "listening");
    proxy.port = proxy.server.address().port;
    return proxy;
  }

  accept(near, target_port) {
    const port = typeof target_port === "function" ? target_port() : target_port;
    const far = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const link = [near, far];
    this.links.add(link);
    for (const [from, to] of [[near, far], [far, near]]) {
      if (this.is_cut) from.pause();
      from.on("data", (bytes) => to.write(bytes));
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => this.links.delete(link));
    }
  }

  cut() {
    this.is_cut = true;
    for (const link of this.links) for (const socket of link) socket.pause();
  }

  mend() {
    this.is_cut = false;
    for (const link of this.links) for (const socket of link) socket.resume();
  }

  // The near ends lose their connections; the far ends keep theirs, half-open, for `ms`.
  strand(ms = 10_000) {
    for (const link of [...this.links]) {
      const [near, far] = link;
      for (const socket of link) socket.removeAllListeners("close").removeAllListeners("end").pause();
      this.links.delete(link);
      this.stranded.add(link);
      near.destroy();
      setTimeout(() => {
        far.destroy();
        this.stranded.delete(link);
      }, ms).unref();
    }
  }

  stop() {
    for (const link of [...this.links, ...this.stranded])
      for (const socket of link) socket.destroy();
    this.server.close();
  }
}
