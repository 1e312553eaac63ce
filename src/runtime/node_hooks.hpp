// The options of a server that are calls of the application: allow_request, initial_headers, headers.
#pragma once

#include <carillon/server.hpp>

#include "engineio/handshake_hooks.hpp"
#include "runtime/shard.hpp"
#include "socketio/server_core.hpp"

namespace carillon::runtime {

// Owned by one shard; the references outlive it. An exception that escapes a call is logged, counted, and refuses.
class NodeHooks final : public engineio::HandshakeHooks {
 public:
  NodeHooks(const ServerOptions& options, Shard& shard, socketio::ServerCore& core)
      : options_(options), shard_(shard), core_(core) {}

  bool asks() const override { return options_.allow_request != nullptr; }
  void ask(std::uint64_t ticket, const std::shared_ptr<const HandshakeRequest>& request) override;
  void add_headers(std::vector<http::Header>& headers, const HandshakeRequest& request, bool initial) override;

 private:
  const ServerOptions& options_;
  Shard& shard_;
  socketio::ServerCore& core_;
};

}  // namespace carillon::runtime
