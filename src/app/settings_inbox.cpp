// The settings of section "inbox".
#include "api/notify_request.hpp"
#include "app/setting_checks.hpp"
#include "app/setting_makers.hpp"
#include "app/settings_sections.hpp"

namespace carillon::app {

std::vector<Setting> inbox_settings() {
  using C = Config;
  using S = Config::Inbox;
  return {
      number("inbox.ttl_default_s", field(&C::inbox, &S::ttl_default_s), 1, api::ttl_s_max,
             "How long a notification waits for its user where its producer does not say it."),
      number("inbox.ack_timeout_ms", field(&C::inbox, &S::ack_timeout_ms), 100, hour_ms,
             "Of clients with `auth.ack`: how long their application may take to acknowledge before a notification is "
             "sent again; three times per connection in all."),
      number("inbox.window", field(&C::inbox, &S::window), 1, 10'000,
             "Notifications that may be on their way to one client without a proof that it has received them."),
      number("inbox.notifications_per_user_max", field(&C::inbox, &S::notifications_per_user_max), 1, 1'000'000,
             "Notifications that are kept for one user. Beyond it the oldest is dropped, and clients that lack it are "
             "told."),
      number("inbox.bytes_per_user_max", field(&C::inbox, &S::bytes_per_user_max), 128 * 1024, gib,
             "The same in bytes."),
      number("inbox.devices_per_user_max", field(&C::inbox, &S::devices_per_user_max), 1, 10'000,
             "Devices of one user whose place in the inbox is kept. Beyond it the one that was silent longest is "
             "forgotten."),
      number("inbox.waiting_bytes_max", field(&C::inbox, &S::waiting_bytes_max), 1024 * 1024, 64 * gib,
             "Notifications that may be on their way to the disk, or to Redis. Beyond it producers get 503."),
      number("inbox.questions_per_socket_max", field(&C::inbox, &S::questions_per_socket_max), 1, 10'000,
             "`inbox:fetch` and `inbox:read` of one client that may be under way. Beyond it they are refused with an "
             "error."),
      number("inbox.head_check_interval_ms", field(&C::inbox, &S::head_check_interval_ms), 100, hour_ms,
             "With Redis: how often a node looks at the log of each user whose sockets it holds, in case a signal was "
             "lost "
             "on its way."),
  };
}

}  // namespace carillon::app
