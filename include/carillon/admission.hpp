// Who may open a session at all: the option allow_request.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <carillon/handshake.hpp>

namespace carillon {

namespace runtime {
class AdmissionTarget;
}

// The application's word on one handshake. Copyable; any thread; the first call counts. It may outlive the server, and
// the client: nothing happens then.
class Admission {
 public:
  explicit Admission(std::shared_ptr<runtime::AdmissionTarget> target) : target_(std::move(target)) {}
  void allow() const;
  // Long-polling is answered with 403 and {"code":4,"message":...}, a WebSocket with a plain 400. An empty message:
  // "Forbidden".
  void refuse(std::string message = {}) const;

 private:
  std::shared_ptr<runtime::AdmissionTarget> target_;
};

// Asked for each handshake, long-polling or WebSocket, but not for an upgrade, on the shard that got the request. Must
// not wait: what takes time is done elsewhere and answered later. An exception refuses.
using AllowRequest = std::function<void(const HandshakeRequest& request, const Admission& admission)>;

}  // namespace carillon
