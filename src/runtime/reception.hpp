// Where a node listens, and under which conditions connections come in.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <carillon/server.hpp>

#include "base/counter.hpp"
#include "http/forwarded.hpp"
#include "io/endpoint.hpp"
#include "io/tls_context.hpp"
#include "runtime/handover.hpp"
#include "runtime/service.hpp"

namespace carillon::runtime {

class Shard;

// Owned by the node; outlives its shards, which use the proxies and the certificates.
class Reception {
 public:
  // `api_listen`: of the API, if there is one. Reads certificates. Throws std::invalid_argument with a sentence.
  Reception(const ServerOptions& options, const std::optional<std::string>& api_listen);

  // Throws std::system_error when it cannot listen there. Before the shards start.
  void bind_clients(const std::vector<std::unique_ptr<Shard>>& shards);
  void bind_api(Shard& shard, Service& service);

  const http::TrustedProxies& proxies() const { return proxies_; }

  // HOST:PORT or unix:PATH of the first listener.
  const std::string& client_address() const { return client_address_; }
  const std::string& api_address() const { return api_address_; }
  // "http://HOST:PORT" or "https://HOST:PORT" of the first listener that has one; "" if there is none.
  const std::string& client_url() const { return client_url_; }
  const std::string& api_url() const { return api_url_; }

  // --- any thread ---
  bool reload_certificates();                                   // as Server's
  const io::TlsCredentials* tls() const { return tls_.get(); }  // null: no listener has TLS
  const Counter& tls_reloads() const { return tls_reloads_; }
  const Counter& tls_reloads_failed() const { return tls_reloads_failed_; }

 private:
  Entrance entrance_of(const io::Endpoint& endpoint) const;

  std::vector<io::Endpoint> clients_;
  std::optional<io::Endpoint> api_;
  http::TrustedProxies proxies_;
  std::unique_ptr<io::TlsCredentials> tls_;
  std::string client_address_;
  std::string client_url_;
  std::string api_address_;
  std::string api_url_;
  std::mutex reload_;
  Counter tls_reloads_;  // written under reload_
  Counter tls_reloads_failed_;
};

}  // namespace carillon::runtime
