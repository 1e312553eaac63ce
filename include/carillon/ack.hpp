// Acknowledgements, both ways.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <utility>

#include <carillon/args.hpp>

namespace carillon {

namespace socketio {
class AckTarget;
}

// Answers one event of a client that asked for an acknowledgement. Copyable; any thread. The first call counts, later
// ones and calls after the client, or the server, has gone do nothing. Text that is no UTF-8: std::invalid_argument.
class Ack {
 public:
  Ack() = default;
  explicit Ack(std::shared_ptr<socketio::AckTarget> target) : target_(std::move(target)) {}

  // Whether the client asked for an acknowledgement.
  explicit operator bool() const { return target_ != nullptr; }

  void operator()(const Args& args) const { send(args); }
  template <class... T>
    requires EventValues<T...>
  void operator()(T&&... values) const {
    send(make_args(std::forward<T>(values)...));
  }

 private:
  void send(const Args& args) const;
  std::shared_ptr<socketio::AckTarget> target_;
};

// Why an acknowledgement never came.
enum class AckError {
  timeout,  // the time given to emit_with_ack has passed; or the client owes too many (LimitOptions) and this is the oldest
  disconnected,  // the socket went away first
};

// What a client answered. Every pending acknowledgement ends in exactly one call, on the socket's shard.
// std::expected where the library has it (GCC 12 in C++23 mode); `if (result) use(*result)`.
using AckResult = std::expected<Args, AckError>;
using AckHandler = std::function<void(const AckResult&)>;

}  // namespace carillon
