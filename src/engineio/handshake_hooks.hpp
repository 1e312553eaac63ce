// What the application has to say about handshakes and about the headers of answers.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <carillon/handshake.hpp>

#include "http/request.hpp"

namespace carillon::engineio {

// Implemented by runtime/ and by tests. Called on the engine's shard.
class HandshakeHooks {
 public:
  virtual ~HandshakeHooks() = default;
  // Whether to ask for each handshake.
  virtual bool asks() const = 0;
  // May this client open a session? The answer goes to Engine::on_admission(ticket, ...), within the call or later.
  virtual void ask(std::uint64_t ticket, const std::shared_ptr<const HandshakeRequest>& request) = 0;
  // A session's client is about to be answered. `request`: its handshake; `initial`: this is the answer to it.
  virtual void add_headers(std::vector<http::Header>& headers, const HandshakeRequest& request, bool initial) = 0;
};

}  // namespace carillon::engineio
