#include "inbox/memory_store.hpp"

#include <algorithm>
#include <utility>

#include "inbox/ranges.hpp"

namespace carillon::inbox {
namespace {

std::uint64_t highest_cursor(const auto& devices) {
  std::uint64_t highest = 0;
  for (const auto& [name, device] : devices) highest = std::max(highest, device.cursor);
  return highest;
}

}  // namespace

// --- calls and completions ---

template <class T, class Effect>
void MemoryStore::call(std::string_view name, Done<T> done, Effect effect) {
  const Faults faults = faults_ ? faults_(name) : Faults{};
  Result<T, StoreError> result = Failure(faults.error);
  if (faults.fault != Fault::refused) result = effect();
  if (faults.fault == Fault::answer_lost) result = Failure(StoreError::unavailable);
  completions_.push_back([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

bool MemoryStore::run_one() {
  if (completions_.empty()) return false;
  Task task = std::move(completions_.front());
  completions_.pop_front();
  task();
  return true;
}

void MemoryStore::run() {
  while (run_one()) continue;
}

void MemoryStore::lose_everything(std::string epoch) {
  epoch_ = std::move(epoch);
  logs_.clear();
  notifications_.clear();
  keys_.clear();
}

void MemoryStore::lose_tail(std::string epoch, std::uint64_t upto) {
  for (auto& [user, log] : logs_) {
    log.past.emplace_back(std::exchange(log.epoch, epoch), std::min(log.head, upto));
    log.head = std::min(log.head, upto);
    for (auto entry = log.entries.upper_bound(upto); entry != log.entries.end(); entry = log.entries.erase(entry))
      log.bytes -= entry->second.notification->bytes();
    for (auto& [name, device] : log.devices) device.cursor = std::min(device.cursor, upto);
    std::erase_if(log.proofs, [&](const Seen& seen) { return seen.range.upto > upto; });
  }
  epoch_ = std::move(epoch);
}

std::optional<std::uint64_t> MemoryStore::valid_upto(const Log& log, std::string_view epoch) const {
  std::uint64_t upto = log.head;
  if (epoch == log.epoch) return upto;
  for (auto past = log.past.rbegin(); past != log.past.rend(); ++past) {
    upto = std::min(upto, past->second);
    if (past->first == epoch) return upto;
  }
  return std::nullopt;
}

void MemoryStore::accept(Acceptance acceptance, Done<Accepted> done) {
  call("accept", std::move(done), [&] { return do_accept(acceptance); });
}

void MemoryStore::open(std::string user, std::string device, Done<DeviceState> done) {
  call("open", std::move(done), [&] { return do_open(user, device); });
}

void MemoryStore::read(ReadRequest request, Done<Page> done) {
  call("read", std::move(done), [&] { return do_read(request); });
}

void MemoryStore::prove(Proof proof, Done<void> done) {
  call("prove", std::move(done), [&]() -> Result<void, StoreError> {
    do_prove(proof);
    return {};
  });
}

void MemoryStore::mark_read(ReadMarks marks, Done<UserSummary> done) {
  call("mark_read", std::move(done), [&] {
    const bool counted = do_mark(marks);
    UserSummary summary = do_summarize(marks.user, marks.at);
    if (counted) summary.epoch = marks.epoch;
    return summary;
  });
}

void MemoryStore::summarize(std::string user, UnixMs now, Done<UserSummary> done) {
  call("summarize", std::move(done), [&] { return do_summarize(user, now); });
}

void MemoryStore::inspect(InspectRequest request, Done<std::optional<Trace>> done) {
  call("inspect", std::move(done), [&] { return do_inspect(request); });
}

void MemoryStore::sweep(UnixMs now, std::size_t notifications_max, Done<bool> done) {
  call("sweep", std::move(done), [&] { return do_sweep(now, notifications_max); });
}

// --- accepting ---

Result<Accepted, StoreError> MemoryStore::do_accept(const Acceptance& acceptance) {
  const Notification& notification = *acceptance.notification;
  if (!acceptance.idempotency_key.empty()) {
    const auto known = keys_.find(acceptance.idempotency_key);
    if (known != keys_.end() && known->second.at + limits_.idempotency_keep.count() > notification.sent_at) {
      if (known->second.fingerprint != acceptance.fingerprint) return Failure(StoreError::key_conflict);
      return Accepted{known->second.id, known->second.recipients, true, {}};
    }
    keys_[acceptance.idempotency_key] = {acceptance.fingerprint, notification.id, acceptance.users.size(),
                                         notification.sent_at};
  }
  Accepted accepted{notification.id, acceptance.users.size(), false, {}};
  Known& known = notifications_[notification.id];
  known.notification = acceptance.notification;
  for (const std::string& user : acceptance.users) {
    accepted.placements.push_back(append(user, acceptance.notification));
    known.holders.push_back({user, accepted.placements.back().position.number});
  }
  return accepted;
}

Placement MemoryStore::append(const std::string& user, const NotificationPtr& notification) {
  Log& log = logs_[user];
  if (log.epoch != epoch_) {
    if (log.head > 0) log.past.emplace_back(log.epoch, log.head);
    log.epoch = epoch_;
  }
  collapse(user, log, *notification);
  make_room(user, log, *notification);
  log.entries[++log.head] = {notification, 0};
  log.bytes += notification->bytes();
  return {user, {log.epoch, log.head}};
}

void MemoryStore::collapse(const std::string& user, Log& log, const Notification& newer) {
  if (newer.collapse_key.empty()) return;
  // The newest: those before it have been proven, or were collapsed by it.
  const auto older = std::find_if(log.entries.rbegin(), log.entries.rend(), [&](const auto& item) {
    return item.second.notification->collapse_key == newer.collapse_key;
  });
  if (older == log.entries.rend()) return;
  const std::uint64_t number = older->first;
  const bool covered = std::ranges::any_of(
      log.proofs, [&](const Seen& seen) { return number > seen.range.after && number <= seen.range.upto; });
  if (covered || highest_cursor(log.devices) >= number) return;
  end(user, log, number, Ending::collapsed, newer.sent_at);
}

void MemoryStore::make_room(const std::string& user, Log& log, const Notification& newer) {
  while (!log.entries.empty() && (log.entries.size() >= limits_.notifications_per_user_max ||
                                  log.bytes + newer.bytes() > limits_.bytes_per_user_max)) {
    const auto& [number, oldest] = *log.entries.begin();
    const bool expired = oldest.notification->expires_at <= newer.sent_at;
    if (!expired) log.dropped_to = number;
    end(user, log, number, expired ? Ending::expired : Ending::dropped,
        expired ? oldest.notification->expires_at : newer.sent_at);
  }
}

void MemoryStore::end(const std::string& user, Log& log, std::uint64_t number, Ending ending, UnixMs at) {
  const auto entry = log.entries.find(number);
  if (entry == log.entries.end()) return;
  log.bytes -= entry->second.notification->bytes();
  const auto known = notifications_.find(entry->second.notification->id);
  for (Holder& holder : known->second.holders) {
    if (holder.user != user || holder.number != number) continue;
    holder.ending = ending;
    holder.ended_at = at;
    holder.read_at = entry->second.read_at;
  }
  log.entries.erase(entry);
}

// --- devices ---

DeviceState MemoryStore::do_open(const std::string& user, const std::string& device) const {
  DeviceState state{.epoch = epoch_};
  const auto log = logs_.find(user);
  if (log == logs_.end()) return state;
  state.epoch = log->second.epoch;
  state.head = log->second.head;
  state.dropped_to = log->second.dropped_to;
  if (const auto known = log->second.devices.find(device); known != log->second.devices.end()) {
    state.known = true;
    state.cursor = known->second.cursor;
    add_received(log->second, device, state.cursor, state.above);
  } else {
    state.cursor = highest_cursor(log->second.devices);
  }
  return state;
}

// What a device has received beyond its cursor follows from its proofs.
void MemoryStore::add_received(const Log& log, std::string_view device, std::uint64_t& cursor,
                               std::vector<Range>& above) {
  for (const Seen& seen : log.proofs)
    if (seen.receipt.device == device) add_range(cursor, above, seen.range);
}

void MemoryStore::do_prove(const Proof& proof) {
  const auto found = logs_.find(proof.user);
  if (found == logs_.end()) return;
  Log& log = found->second;
  const auto valid = valid_upto(log, proof.epoch);
  if (!valid) return;
  Range range = proof.range;
  range.upto = std::min(range.upto, *valid);
  if (range.after > range.upto) return;
  if (!log.devices.contains(proof.device)) {
    if (log.devices.size() >= limits_.devices_per_user_max)
      log.devices.erase(std::ranges::min_element(
          log.devices, {}, [](const auto& item) { return std::pair(item.second.used_at, item.first); }));
    log.devices[proof.device].cursor = proof.begins;
  }
  Device& device = log.devices[proof.device];
  device.used_at = std::max(device.used_at, proof.at);
  std::vector<Range> above;
  add_received(log, proof.device, device.cursor, above);
  add_range(device.cursor, above, range);
  if (range.after == range.upto) return;
  const bool repeated = std::ranges::any_of(
      log.proofs, [&](const Seen& seen) { return seen.range == range && seen.receipt.device == proof.device; });
  if (!repeated) log.proofs.push_back({range, {proof.device, proof.node, proof.socket, proof.at, proof.acknowledged}});
}

// --- reading ---

Page MemoryStore::do_read(const ReadRequest& request) const {
  Page page{.epoch = epoch_, .upto = request.after};
  const auto found = logs_.find(request.user);
  page.continues = request.epoch.empty() || request.after == 0 || request.epoch == epoch_;
  if (found == logs_.end()) return page;
  const Log& log = found->second;
  if (!request.epoch.empty() && request.after > 0)
    page.continues = valid_upto(log, request.epoch).value_or(0) >= request.after;
  page.epoch = log.epoch;
  page.head = log.head;
  page.dropped_to = log.dropped_to;
  std::size_t bytes = 0;
  for (auto at = log.entries.upper_bound(request.after); at != log.entries.end(); ++at) {
    const auto& [number, stored] = *at;
    if (stored.notification->expires_at <= request.now) continue;
    bytes += stored.notification->bytes();
    const bool full = page.entries.size() >= request.entries_max || bytes > request.bytes_max;
    if (full && !page.entries.empty()) {
      page.upto = page.entries.back().number;
      return page;
    }
    page.entries.push_back({number, stored.notification, stored.read_at != 0});
  }
  page.upto = std::max(log.head, request.after);
  return page;
}

bool MemoryStore::do_mark(const ReadMarks& marks) {
  const auto found = logs_.find(marks.user);
  if (found == logs_.end()) return false;
  const auto valid = valid_upto(found->second, marks.epoch);
  if (!valid) return false;
  for (auto& [number, stored] : found->second.entries) {
    const bool meant = number <= marks.upto || std::ranges::find(marks.numbers, number) != marks.numbers.end();
    if (meant && number <= *valid && stored.read_at == 0) stored.read_at = marks.at;
  }
  return true;
}

UserSummary MemoryStore::do_summarize(const std::string& user, UnixMs now) const {
  UserSummary summary{.epoch = epoch_};
  const auto found = logs_.find(user);
  if (found == logs_.end()) return summary;
  summary.epoch = found->second.epoch;
  summary.head = found->second.head;
  for (const auto& [number, stored] : found->second.entries)
    if (stored.read_at == 0 && stored.notification->expires_at > now) ++summary.unread;
  return summary;
}

std::optional<Trace> MemoryStore::do_inspect(const InspectRequest& request) const {
  const auto found = notifications_.find(request.id);
  if (found == notifications_.end()) return std::nullopt;
  const Known& known = found->second;
  Trace trace{known.notification, known.holders.size(), {}};
  for (std::size_t i = request.skip; i < known.holders.size() && trace.recipients.size() < request.recipients_max;
       ++i) {
    const Holder& holder = known.holders[i];
    const Log& log = logs_.at(holder.user);
    RecipientTrace recipient{holder.user, {log.epoch, holder.number}, holder.ending, holder.ended_at, holder.read_at,
                             {}};
    if (const auto entry = log.entries.find(holder.number); entry != log.entries.end())
      recipient.read_at = entry->second.read_at;
    if (recipient.ending == Ending::none && known.notification->expires_at <= request.now) {
      recipient.ending = Ending::expired;
      recipient.ended_at = known.notification->expires_at;
    }
    for (const Seen& seen : log.proofs) {
      if (holder.number <= seen.range.after || holder.number > seen.range.upto) continue;
      const auto same_device = [&](const Receipt& other) { return other.device == seen.receipt.device; };
      if (std::ranges::none_of(recipient.receipts, same_device)) recipient.receipts.push_back(seen.receipt);
    }
    trace.recipients.push_back(std::move(recipient));
  }
  return trace;
}

// --- sweeping ---

bool MemoryStore::do_sweep(UnixMs now, std::size_t notifications_max) {
  std::size_t swept = 0;
  for (auto item = notifications_.begin(); item != notifications_.end();) {
    const NotificationPtr notification = item->second.notification;
    if (notification->expires_at > now) {
      ++item;
      continue;
    }
    const bool forgotten = notification->expires_at + limits_.trace_keep.count() <= now;
    bool held = false;
    for (const Holder& holder : item->second.holders) held = held || holder.ending == Ending::none;
    if (!forgotten && !held) {
      ++item;
      continue;
    }
    if (swept++ >= notifications_max) return true;
    for (const Holder& holder : std::vector<Holder>(item->second.holders))
      end(holder.user, logs_[holder.user], holder.number, Ending::expired, notification->expires_at);
    if (forgotten) forget(item->second);
    item = forgotten ? notifications_.erase(item) : std::next(item);
  }
  std::erase_if(keys_, [&](const auto& key) { return key.second.at + limits_.idempotency_keep.count() <= now; });
  return false;
}

void MemoryStore::forget(const Known& known) {
  for (const Holder& holder : known.holders)
    std::erase_if(logs_[holder.user].proofs, [&](const Seen& seen) { return seen.range.upto == holder.number; });
}

}  // namespace carillon::inbox
