// Events between servers (serverSideEmit): from a message to the handlers of the namespace, and their answer back.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <carillon/cluster_answers.hpp>

#include "socketio/namespace_handlers.hpp"
#include "socketio/stats.hpp"

namespace carillon::socketio {

// Where a ServerAnswer goes to. Any thread, and longer than the server.
class ServerEventTarget {
 public:
  using Send = std::move_only_function<void(Value)>;
  // `send` is called at most once, on the thread that answers.
  explicit ServerEventTarget(Send send) : send_(std::move(send)) {}
  void answer(Value value);

 private:
  std::atomic<bool> called_ = false;
  Send send_;
};

// Calls the handlers, on the shard whose `stats` these are. `target` is null where no answer is wanted.
void call_server_event(const NamespaceHandlers& handlers, Stats& stats, std::string_view event, const Args& args,
                       std::shared_ptr<ServerEventTarget> target);

// What an application wants to send: std::invalid_argument for names that servers keep for themselves ("connect",
// "connection", "new_namespace") and for text that is no UTF-8.
void check_server_event(std::string_view event, const Args& args);

}  // namespace carillon::socketio
