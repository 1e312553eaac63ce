// A disk for one test: a tmpfs in a mount namespace of its own, which is gone with the process that holds it. Other processes do
// not see it; those that are started through `entry` do.
import { temporary_folder } from "./servers.mjs";
import { Program, run } from "./program.mjs";

const namespaces = ["--user", "--mount"];

export class SmallDisk {
  // `size` as mount takes it. Throws where nobody may mount anything.
  static async mount(size) {
    const folder = temporary_folder();
    const script = `mount -t tmpfs -o size=${size} tmpfs ${folder} && echo mounted && exec cat`;
    const holder = new Program("unshare", [...namespaces, "--map-root-user", "sh", "-c", script], { listens: true });
    await holder.output(/mounted/);
    return new SmallDisk(folder, holder);
  }

  constructor(folder, holder) {
    this.folder = folder;
    this.holder = holder;
    // Before a command and its arguments. It becomes the command: its pid is that one's.
    this.entry = ["nsenter", "--target", String(holder.pid), ...namespaces, "--preserve-credentials"];
  }

  // What the shell script returns.
  async run(script) {
    const [command, ...args] = this.entry;
    return (await run(command, [...args, "sh", "-c", `cd ${this.folder} && ${script}`])).code;
  }
  async use(bytes) { await this.run(`head -c ${bytes} /dev/zero > filling`); }
  async fill() { await this.run("cat /dev/zero >> filling"); }  // until there is no room
  async empty() { await this.run("rm filling"); }  // of what use() and fill() have taken

  async stop() { await this.holder.stop(); }
}

export const can_mount = async () => (await run("unshare", [...namespaces, "--map-root-user", "mount", "-t", "tmpfs", "tmpfs", temporary_folder()])).code === 0;
