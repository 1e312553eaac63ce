#include "runtime/inbox_options.hpp"

#include <utility>

#include "redis/url.hpp"

namespace carillon::runtime {
namespace {

InboxDesk::Settings desk_settings(const NotifierOptions& options, const AdapterOptions& adapter) {
  InboxDesk::Settings desk{.store = {}, .waiting_bytes_max = options.waiting_bytes_max};
  desk.store.prefix = inbox_prefix(adapter.key);
  if (adapter.kind == AdapterOptions::Kind::sharded) desk.store.signals = redis::ChannelKind::sharded;
  const auto url = redis::parse_url(adapter.redis_url);
  desk.store.is_cluster = url && url->kind == redis::Url::Kind::cluster;
  desk.head_checks.interval = Milliseconds(options.head_check_interval_ms);
  return desk;
}

}  // namespace

std::string inbox_prefix(const std::string& adapter_key) { return adapter_key + "-inbox:"; }

InboxOptions inbox_options(NotifierOptions options, const AdapterOptions* adapter) {
  InboxOptions made;
  made.store.directory = std::move(options.data_dir);
  made.store.limits.notifications_per_user_max = options.notifications_per_user_max;
  made.store.limits.bytes_per_user_max = options.bytes_per_user_max;
  made.store.limits.devices_per_user_max = options.devices_per_user_max;
  made.store.waiting_bytes_max = options.waiting_bytes_max;
  made.delivery.window = options.window;
  made.questions_per_socket_max = options.questions_per_socket_max;
  made.delivery.ack_timeout = Milliseconds(options.ack_timeout_ms);
  if (adapter != nullptr) {
    made.desk = desk_settings(options, *adapter);
    made.desk->store.limits = made.store.limits;
  }
  made.device_of = std::move(options.device_of);
  return made;
}

}  // namespace carillon::runtime
