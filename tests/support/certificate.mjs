// A certificate for localhost and its key, made for one test file and gone with it.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { temporary_folder } from "./servers.mjs";

export class Certificate {
  // `organization`: tells one certificate from another.
  constructor(organization = "tests") {
    const folder = temporary_folder();
    [this.cert, this.key] = ["cert.pem", "key.pem"].map((name) => join(folder, name)); // files
    this.make(organization);
  }

  // A new certificate and key take the place of the old ones.
  make(organization) {
    const names = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1";
    execFileSync("openssl", [
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
      "-subj", `/O=${organization}/CN=localhost`, "-addext", names, "-keyout", this.key, "-out", this.cert,
    ], { stdio: "ignore" });
  }

  // For a client that trusts nobody else.
  get ca() { return readFileSync(this.cert); }
  // For `carillon serve`, and for the example servers.
  get settings() { return ["--set", `tls.certificate_file="${this.cert}"`, "--set", `tls.key_file="${this.key}"`]; }
  get flags() { return ["--tls-cert", this.cert, "--tls-key", this.key]; }
}
