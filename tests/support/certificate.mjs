// A certificate for localhost, made for one test file and gone with it.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { temporary_folder } from "./servers.mjs";

// { cert, key }: files.
export function make_certificate() {
  const folder = temporary_folder();
  const [cert, key] = ["cert.pem", "key.pem"].map((name) => join(folder, name));
  const names = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1";
  execFileSync("openssl", [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
    "-subj", "/CN=localhost", "-addext", names, "-keyout", key, "-out", cert,
  ], { stdio: "ignore" });
  return { cert, key };
}
