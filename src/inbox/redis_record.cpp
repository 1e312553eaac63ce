#include "inbox/redis_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <utility>

namespace carillon::inbox {
namespace {

// Takes a text apart from its front; once something was not there, everything else is not, too.
class Cutter {
 public:
  explicit Cutter(std::string_view text) : rest_(text) {}

  std::string_view upto(char end) {
    const std::size_t place = rest_.find(end);
    if (place == std::string_view::npos) {
      good_ = false;
      return {};
    }
    const std::string_view part = rest_.substr(0, place);
    rest_.remove_prefix(place + 1);
    return part;
  }
  template <class T = std::uint64_t>
  T number(char end) {
    return parse<T>(upto(end));
  }
  std::string_view bytes(std::size_t count) {
    if (count > rest_.size()) {
      good_ = false;
      return {};
    }
    const std::string_view part = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return part;
  }
  template <class T = std::uint64_t>
  T parse(std::string_view digits) {
    T value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) good_ = false;
    return value;
  }
  // Little-endian.
  std::uint64_t binary(std::size_t count) {
    std::uint64_t value = 0;
    const std::string_view part = bytes(count);
    for (std::size_t i = part.size(); i-- > 0;) value = value << 8U | static_cast<unsigned char>(part[i]);
    return value;
  }
  bool good() const { return good_; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool good_ = true;
};

constexpr std::size_t record_head_bytes = 22;
constexpr UnixMs time_max = (UnixMs{1} << 48U) - 1;

void append_number(std::string& text, std::uint64_t number, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i, number >>= 8U) text += static_cast<char>(number & 0xffU);
}

}  // namespace

std::string encode_record(const Notification& notification) {
  const Notification& n = notification;
  std::string record;
  record.reserve(record_head_bytes + n.bytes());
  append_number(record, static_cast<std::uint64_t>(std::clamp<UnixMs>(n.expires_at, 0, time_max)), 6);
  append_number(record, static_cast<std::uint64_t>(std::clamp<UnixMs>(n.sent_at, 0, time_max)), 6);
  append_number(record, n.id.size(), 2);
  append_number(record, n.event.size(), 4);
  append_number(record, n.collapse_key.size(), 4);
  for (const std::string* part : {&n.id, &n.event, &n.collapse_key, &n.data}) record += *part;
  return record;
}

NotificationPtr decode_record(std::string_view record) {
  Cutter cutter(record);
  auto notification = std::make_shared<Notification>();
  notification->expires_at = static_cast<UnixMs>(cutter.binary(6));
  notification->sent_at = static_cast<UnixMs>(cutter.binary(6));
  const std::uint64_t id_bytes = cutter.binary(2);
  const std::uint64_t event_bytes = cutter.binary(4);
  const std::uint64_t key_bytes = cutter.binary(4);
  notification->id = cutter.bytes(id_bytes);
  notification->event = cutter.bytes(event_bytes);
  notification->collapse_key = cutter.bytes(key_bytes);
  notification->data = cutter.rest();
  return cutter.good() ? notification : nullptr;
}

std::optional<DecodedSignal> decode_signal(std::string_view message) {
  Cutter cutter(message);
  const bool is_one = cutter.upto(' ') == "n";
  DecodedSignal signal;
  signal.position.epoch = cutter.upto(' ');
  signal.position.number = cutter.number(' ');
  signal.notification = decode_record(cutter.rest());
  if (!is_one || !cutter.good() || !signal.notification) return std::nullopt;
  return signal;
}

std::optional<AppendOutcome> decode_outcome(std::string_view text) {
  using Kind = AppendOutcome::Kind;
  if (text == "c") return AppendOutcome{Kind::key_conflict};
  if (text == "o") return AppendOutcome{Kind::key_is_open};
  Cutter cutter(text);
  const std::string_view kind = cutter.upto(' ');
  if (kind == "-") return AppendOutcome{Kind::error, std::string(cutter.rest())};
  AppendOutcome outcome{Kind::appended};
  outcome.text = cutter.upto(' ');
  outcome.number = cutter.parse(cutter.rest());
  if (kind == "h") {
    outcome.kind = Kind::was_there;
  } else if (kind == "d") {
    outcome.kind = Kind::key_is_known;
  } else if (kind != "n") {
    return std::nullopt;
  }
  if (!cutter.good()) return std::nullopt;
  return outcome;
}

std::string encode_read_event(const ReadEvent& event) {
  std::string text =
      fmt::format("r {} {} {} {}", event.epoch, event.upto, event.unread, event.origin.empty() ? "-" : event.origin);
  for (const std::uint64_t number : event.numbers) text += fmt::format(" {}", number);
  return text;
}

std::optional<ReadEvent> decode_read_event(std::string_view message) {
  const std::string padded = std::string(message) + " ";
  Cutter cutter(padded);
  const bool is_one = cutter.upto(' ') == "r";
  ReadEvent event;
  event.epoch = cutter.upto(' ');
  event.upto = cutter.number(' ');
  event.unread = cutter.number(' ');
  event.origin = cutter.upto(' ');
  if (event.origin == "-") event.origin.clear();
  while (cutter.good() && !cutter.rest().empty()) event.numbers.push_back(cutter.number(' '));
  if (!is_one || !cutter.good()) return std::nullopt;
  return event;
}

std::string encode_summary(const Notification& notification, const std::vector<std::string>& users) {
  const Notification& n = notification;
  std::string text = fmt::format("{} {} {} {} {} {}\n{}{}", n.id, n.sent_at, n.expires_at, n.event.size(),
                                 n.collapse_key.size(), users.size(), n.event, n.collapse_key);
  for (const std::string& user : users) text += fmt::format("{}:{}", user.size(), user);
  return fmt::format("{} {}", text.size(), text);
}

std::optional<AcceptedSummary> decode_summary(std::string_view text) {
  Cutter cutter(text);
  AcceptedSummary summary;
  summary.notification.id = cutter.upto(' ');
  summary.notification.sent_at = cutter.number<UnixMs>(' ');
  summary.notification.expires_at = cutter.number<UnixMs>(' ');
  const auto event_bytes = cutter.number<std::size_t>(' ');
  const auto key_bytes = cutter.number<std::size_t>(' ');
  const auto users = cutter.number<std::size_t>('\n');
  summary.notification.event = cutter.bytes(event_bytes);
  summary.notification.collapse_key = cutter.bytes(key_bytes);
  while (cutter.good() && summary.users.size() < users)
    summary.users.emplace_back(cutter.bytes(cutter.number<std::size_t>(':')));
  if (!cutter.good() || !cutter.rest().empty()) return std::nullopt;
  return summary;
}

}  // namespace carillon::inbox
