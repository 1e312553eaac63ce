// How a node keeps its users' inboxes.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <carillon/adapter_options.hpp>
#include <carillon/notifier.hpp>

#include "inbox/delivery_options.hpp"
#include "runtime/inbox_desk.hpp"
#include "runtime/store_thread.hpp"

namespace carillon::runtime {

struct InboxOptions {
  StoreThread::Settings store;
  std::optional<InboxDesk::Settings> desk{};  // the store is in Redis; `store` is not used then
  inbox::DeliveryOptions delivery{};
  std::size_t questions_per_socket_max = 16;  // `inbox:fetch` and `inbox:read` under way; beyond: refused
  std::function<NotifiedDevice(const Handshake&)> device_of;  // on the socket's shard
};

// Of all that an adapter with this key keeps in Redis for inboxes.
std::string inbox_prefix(const std::string& adapter_key);

// With an adapter the store is in its Redis, where all nodes share it; else on the disk. Null: there is none.
InboxOptions inbox_options(NotifierOptions options, const AdapterOptions* adapter);

}  // namespace carillon::runtime
