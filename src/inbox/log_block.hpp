// What was accepted, as it lies in the table `log`: several notifications to a row, so that one of them costs little more
// than its bytes.
//
//   block   = 1*record                  consecutive seqs, that of the first is the row's
//   record  = size body                 size: bytes of the body; 0: the notification is forgotten
//   body    = flags holders sent_at expires_at [data_bytes] id event data collapse_key key fingerprint recipients
//   flags   = %x00-03                   1: it has expired, and the sweep has seen it; 2: its data is gone, of which there were
//                                       data_bytes
//   id, event, data, collapse_key, key, fingerprint, recipients = length bytes
//
// Numbers are LEB128 (leb128.hpp); `recipients` is that of recipients_codec.hpp.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inbox/notification.hpp"

namespace carillon::inbox {

struct LogRecord {
  NotificationPtr notification;
  std::string key;  // of idempotency; empty: none
  std::string fingerprint;
  std::string recipients;
  std::size_t holders = 0;  // of the recipients, who still have an entry
  bool expired = false;
  std::size_t data_bytes_gone = 0;

  std::size_t bytes() const { return notification->bytes() + data_bytes_gone; }  // when it was accepted
  void clear_data();
  void release();  // one holder less; without any the data goes
};

void append_body(std::string& out, const LogRecord& record);
std::string encode_body(const LogRecord& record);
std::optional<LogRecord> decode_body(std::string_view body);  // none: damaged

// What finds the blocks in which a notification may be: of an id from make_id() its time, to 32 ms.
std::string id_prefix(std::string_view id);

void append_record(std::string& block, std::string_view body);
std::optional<std::vector<std::string_view>> split_block(std::string_view block);  // the bodies; none: damaged

}  // namespace carillon::inbox
