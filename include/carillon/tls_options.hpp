// How a server proves who it is, on the listeners whose address begins with "https://".
#pragma once

#include <string>

namespace carillon {

// Files in PEM format. They are read when the server starts, and again by Server::reload_certificates().
struct TlsOptions {
  std::string certificate_file = {};  // the server's certificate, then those that lead from it to the root
  std::string key_file = {};          // its private key, not encrypted
  std::string client_ca_file = {};    // who signs clients' certificates; empty: none is asked for
  std::string min_version = "1.2";    // or "1.3"
};

}  // namespace carillon
