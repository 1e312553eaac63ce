// What lies in Redis, and what is said on its channels.
//
//   record   ID SP SENT_AT SP EXPIRES_AT SP EVENT_BYTES SP COLLAPSE_KEY_BYTES LF event collapse-key data
//   signal   "n" SP EPOCH SP NUMBER SP record
//   read     "r" SP EPOCH SP UPTO SP UNREAD SP ORIGIN *( SP NUMBER )
//   summary  SENT_AT SP EXPIRES_AT SP EVENT_BYTES SP COLLAPSE_KEY_BYTES SP USERS LF event collapse-key *( BYTES ":" user )
//
// Our own. Numbers are decimal. An id, an epoch and an origin (a socket's id, "-" for none) have no blanks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inbox/notification.hpp"
#include "inbox/position.hpp"
#include "inbox/recipient_port.hpp"

namespace carillon::inbox {

std::string encode_record(const Notification& notification);
// None for anything that is no record, as below: Redis may hold what others wrote there.
NotificationPtr decode_record(std::string_view record);

struct DecodedSignal {
  Position position;
  NotificationPtr notification;
};
std::optional<DecodedSignal> decode_signal(std::string_view message);

std::string encode_read_event(const ReadEvent& event);
// Without the user, whom the channel names.
std::optional<ReadEvent> decode_read_event(std::string_view message);

// What is kept of a notification beside the logs: who was to get it. Without its data.
struct AcceptedSummary {
  Notification notification;
  std::vector<std::string> users;
};
std::string encode_summary(const Notification& notification, const std::vector<std::string>& users);
std::optional<AcceptedSummary> decode_summary(std::string_view id, std::string_view text);

}  // namespace carillon::inbox
