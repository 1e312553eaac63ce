#include "inbox/log_block.hpp"

#include <cstdint>
#include <utility>

#include "inbox/leb128.hpp"

namespace carillon::inbox {
namespace {

constexpr std::uint64_t expired_flag = 1;
constexpr std::uint64_t data_gone_flag = 2;
constexpr std::size_t prefix_characters = 9;  // of the ten that are a ULID's time

void append_text(std::string& out, std::string_view text) {
  append_leb128(out, text.size());
  out += text;
}

std::optional<std::string_view> take_text(std::string_view& bytes) {
  const auto size = take_leb128(bytes);
  if (!size || *size > bytes.size()) return std::nullopt;
  const std::string_view text = bytes.substr(0, *size);
  bytes.remove_prefix(*size);
  return text;
}

bool take_into(std::string& place, std::string_view& bytes) {
  const auto text = take_text(bytes);
  if (text) place = *text;
  return text.has_value();
}

}  // namespace

void LogRecord::clear_data() {
  if (notification->data.empty()) return;
  Notification without = *notification;
  data_bytes_gone += without.data.size();
  without.data.clear();
  notification = std::make_shared<const Notification>(std::move(without));
}

void LogRecord::release() {
  if (holders > 0) --holders;
  if (holders == 0) clear_data();
}

void append_body(std::string& out, const LogRecord& record) {
  const Notification& notification = *record.notification;
  const bool data_gone = record.data_bytes_gone > 0;
  append_leb128(out, (record.expired ? expired_flag : 0) | (data_gone ? data_gone_flag : 0));
  append_leb128(out, record.holders);
  append_leb128(out, static_cast<std::uint64_t>(notification.sent_at));
  append_leb128(out, static_cast<std::uint64_t>(notification.expires_at));
  if (data_gone) append_leb128(out, record.data_bytes_gone);
  append_text(out, notification.id);
  append_text(out, notification.event);
  append_text(out, notification.data);
  append_text(out, notification.collapse_key);
  append_text(out, record.key);
  append_text(out, record.fingerprint);
  append_text(out, record.recipients);
}

std::string encode_body(const LogRecord& record) {
  std::string body;
  append_body(body, record);
  return body;
}

std::optional<LogRecord> decode_body(std::string_view body) {
  const auto flags = take_leb128(body);
  const auto holders = take_leb128(body);
  const auto sent_at = take_leb128(body);
  const auto expires_at = take_leb128(body);
  if (!flags || *flags > (expired_flag | data_gone_flag) || !holders || !sent_at || !expires_at) return std::nullopt;
  const bool data_gone = (*flags & data_gone_flag) != 0;
  const auto data_bytes_gone = data_gone ? take_leb128(body) : std::optional<std::uint64_t>(0);
  if (!data_bytes_gone) return std::nullopt;
  Notification notification;
  notification.sent_at = static_cast<UnixMs>(*sent_at);
  notification.expires_at = static_cast<UnixMs>(*expires_at);
  LogRecord record;
  for (std::string* place : {&notification.id, &notification.event, &notification.data, &notification.collapse_key,
                             &record.key, &record.fingerprint, &record.recipients})
    if (!take_into(*place, body)) return std::nullopt;
  if (!body.empty()) return std::nullopt;
  record.notification = std::make_shared<const Notification>(std::move(notification));
  record.holders = *holders;
  record.expired = (*flags & expired_flag) != 0;
  record.data_bytes_gone = *data_bytes_gone;
  return record;
}

std::string id_prefix(std::string_view id) { return std::string(id.substr(0, prefix_characters)); }

void append_record(std::string& block, std::string_view body) { append_text(block, body); }

std::optional<std::vector<std::string_view>> split_block(std::string_view block) {
  std::vector<std::string_view> bodies;
  while (!block.empty()) {
    const auto body = take_text(block);
    if (!body) return std::nullopt;
    bodies.push_back(*body);
  }
  if (bodies.empty()) return std::nullopt;
  return bodies;
}

}  // namespace carillon::inbox
