// Where notifications are durable: one log per user, and what is known of it.
//
//   log       entries numbered from 1; the newest number is the head. An entry ends when it expires, when a newer one with
//             its collapse key comes before any device has proven it, or when the user's limits want room: then the oldest
//             goes, and `dropped_to` says up to where something went so.
//   device    what one device of the user has received: everything up to its cursor, and ranges above it.
//   proof     a range (after, upto] that a device has received, with the node and the socket that saw it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "inbox/notification.hpp"
#include "inbox/position.hpp"
#include "inbox/store_error.hpp"

namespace carillon::inbox {

struct StoreLimits {
  std::size_t notifications_per_user_max = 1'000;        // beyond it the oldest goes
  std::size_t bytes_per_user_max = 4 * 1024 * 1024;      // of Notification::bytes(); as above
  std::size_t devices_per_user_max = 100;                // beyond it the one that was silent longest is forgotten
  Milliseconds idempotency_keep{24LL * 60 * 60 * 1000};  // how long a key is remembered
  Milliseconds trace_keep{24LL * 60 * 60 * 1000};        // how long inspect() knows what has expired
};

struct Acceptance {
  NotificationPtr notification;
  std::vector<std::string> users;  // each once; may be empty
  std::string idempotency_key;     // empty: none
  std::string fingerprint;         // of the request: what must be equal when the key comes again
};

// Where an entry was appended.
struct Placement {
  std::string user;
  Position position;
};

struct Accepted {
  std::string id;  // with a known key that of the first time
  std::size_t recipients = 0;
  bool replayed = false;              // the key was known: nothing was done
  std::vector<Placement> placements;  // for signals: what was appended by this call
};

// (after, upto]
struct Range {
  std::uint64_t after = 0;
  std::uint64_t upto = 0;
  friend bool operator==(const Range&, const Range&) = default;
};

struct DeviceState {
  std::string epoch;             // of the log; another one when what was written last may have been lost
  std::uint64_t head = 0;        // 0: nothing was ever accepted for this user
  std::uint64_t cursor = 0;      // received up to here; of an unknown device: the highest proven by any of the user's
  std::vector<Range> above{};    // received beyond it, ascending, apart
  std::uint64_t dropped_to = 0;  // entries up to here may be gone because of limits
  bool known = false;            // it has been registered by prove()
};

struct Proof {
  std::string user;
  std::string device;
  std::string epoch;  // of another log: nothing is done; an earlier epoch of it counts for what it had
  Range range;        // an empty one (after == upto) registers a device whose cursor is there
  bool acknowledged = false;
  std::string node;
  std::string socket;
  UnixMs at = 0;
  std::uint64_t begins =
      0;  // where the device begins if the store does not know it: it has all up to there; `after` at most
};

struct ReadRequest {
  std::string user;
  std::uint64_t after = 0;
  std::size_t entries_max = 64;
  std::size_t bytes_max = 256 * 1024;  // a page has at least one entry, however large
  UnixMs now = 0;                      // what has expired by then is left out
  std::string epoch{};                 // that `after` is a number of; empty: of whichever there is
};

struct Page {
  std::string epoch;
  std::vector<Entry> entries{};  // ascending
  std::uint64_t upto = 0;        // the page covers everything up to here
  std::uint64_t head = 0;        // upto < head: there is more
  std::uint64_t dropped_to = 0;  // as in DeviceState
  // Whether `after` is a place in this log: the request's epoch is this one, or an earlier one that has lost nothing up to there.
  bool continues = true;
};

// Which entries were read by a person.
struct ReadMarks {
  std::string user;
  std::string epoch;                   // as in Proof
  std::vector<std::uint64_t> numbers;  // these,
  std::uint64_t upto = 0;              // and all up to here
  UnixMs at = 0;
};

struct UserSummary {
  std::string epoch;
  std::uint64_t head = 0;
  std::uint64_t unread = 0;  // entries that have not expired
};

enum class Ending : std::uint8_t { none, expired, collapsed, dropped };

struct Receipt {
  std::string device;
  std::string node;
  std::string socket;
  UnixMs at = 0;
  bool acknowledged = false;  // by the application; else the transport has proven it
};

struct RecipientTrace {
  std::string user;
  Position position;
  Ending ending = Ending::none;
  UnixMs ended_at = 0;
  UnixMs read_at = 0;  // 0: not marked
  std::vector<Receipt> receipts;
};

struct Trace {
  NotificationPtr notification;  // without data once no recipient holds it any more
  std::size_t recipients_total = 0;
  std::vector<RecipientTrace> recipients;  // those that were asked for
};

struct InspectRequest {
  std::string id;
  std::size_t skip = 0;  // recipients
  std::size_t recipients_max = 1'000;
  UnixMs now = 0;
};

// Owned by one thread: calls are made there, and completions run there, once each, perhaps before the call returns.
// Writes of one kind take effect in the order in which they were made (in Redis not those of several users, docs/inbox.md), and a
// read sees those that were answered before it.
// `unavailable` may mean that the effect is there without the answer; every call may be repeated.
class Store {
 public:
  template <class T>
  using Done = std::move_only_function<void(Result<T, StoreError>)>;

  virtual ~Store() = default;

  // Appends to the log of each user; all are durable when `done` hears of it. After an error a repeat with the same
  // idempotency key completes what is missing.
  virtual void accept(Acceptance acceptance, Done<Accepted> done) = 0;
  // Does not write: who has no log leaves no trace by connecting.
  virtual void open(std::string user, std::string device, Done<DeviceState> done) = 0;
  virtual void read(ReadRequest request, Done<Page> done) = 0;
  // Cursors never move back, nor beyond the head.
  virtual void prove(Proof proof, Done<void> done) = 0;
  // With what is then unread; the epoch is that of the marks if they counted.
  virtual void mark_read(ReadMarks marks, Done<UserSummary> done) = 0;
  virtual void summarize(std::string user, UnixMs now, Done<UserSummary> done) = 0;
  // None: unknown, or expired so long ago that it is forgotten.
  virtual void inspect(InspectRequest request, Done<std::optional<Trace>> done) = 0;
  // Removes what has expired, `notifications_max` of them at most; true: there may be more.
  virtual void sweep(UnixMs now, std::size_t notifications_max, Done<bool> done) = 0;
};

}  // namespace carillon::inbox
