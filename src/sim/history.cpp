#include "sim/history.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace carillon::sim {

void History::report(std::string_view checker, std::string text) {
  violations_.try_emplace(std::string(checker),
                          fmt::format("at {} ms: {}", scheduler_.now().time_since_epoch().count(), std::move(text)));
}

// --- the store's log ---

void History::apply(const Record& record) {
  if (const auto* accept = std::get_if<AcceptRecord>(&record)) {
    ids_.insert(accept->notification->id);
    if (!accept->request.empty()) keys_.emplace(accept->request, accept->notification->id);
    for (const inbox::Placement& placement : accept->placements) {
      Log& log = logs_[placement.user];
      if (log.epoch != placement.position.epoch) {
        log.ends[log.epoch] = log.entries.size();
        log.epoch = placement.position.epoch;
      }
      log.entries.push_back(accept->notification);
    }
    return;
  }
  const auto& proof = std::get<inbox::Proof>(record);
  Log& log = logs_[proof.user];
  log.registered.try_emplace(proof.device, proof.begins);
  log.proven_max = std::max(log.proven_max, std::min(proof.range.upto, valid_upto(proof.epoch, proof.user)));
}

void History::on_accept_stored(const inbox::Acceptance& acceptance, const inbox::Accepted& accepted) {
  // A producer repeats a request as it was: the fingerprint names it, whatever has become of its key.
  const auto known = keys_.find(acceptance.fingerprint);
  if (accepted.replayed) {
    if (known == keys_.end() || known->second != accepted.id)
      report("once", fmt::format("{} is {}, which it never was", acceptance.fingerprint, accepted.id));
    return;
  }
  if (known != keys_.end())
    report("once", fmt::format("{} was accepted as {}, and again as {}", known->first, known->second, accepted.id));
  records_.push_back(AcceptRecord{acceptance.notification, acceptance.fingerprint, accepted.placements});
  for (const inbox::Placement& placement : accepted.placements) {
    const std::uint64_t expected = logs_[placement.user].entries.size() + 1;
    if (placement.position.number != expected)
      report("order", fmt::format("{} got number {} in the log of {}, not {}", accepted.id, placement.position.number,
                                  placement.user, expected));
  }
  apply(records_.back());
}

void History::on_proof_stored(const inbox::Proof& proof) {
  const auto found = logs_.find(proof.user);
  const std::uint64_t valid = valid_upto(proof.epoch, proof.user);
  if (found == logs_.end() || proof.range.after > valid || !found->second.knows(proof.epoch)) return;
  const Log& log = found->second;
  const DeviceKey key{proof.user, proof.device};
  const std::uint64_t upto = std::min(proof.range.upto, valid);
  if (!log.registered.contains(proof.device)) check_registration(key, log, proof.begins);
  for (std::uint64_t number = proof.range.after + 1; number <= upto; ++number) {
    const bool has = device(key).received.contains(log.entries[number - 1]->id);
    if (!has && !ended(log, number) && !may_be_dropped(log, number))
      report("proof", fmt::format("{}/{} is said to have received {} of ({}, {}], by socket {}", proof.user,
                                  proof.device, number, proof.range.after, proof.range.upto, proof.socket));
  }
  records_.emplace_back(proof);
  apply(records_.back());
}

// Where a device begins is what any other has proven; the rest it must have received.
void History::check_registration(const DeviceKey& key, const Log& log, std::uint64_t cursor) {
  cursor = std::min<std::uint64_t>(cursor, log.entries.size());
  for (std::uint64_t number = log.proven_max + 1; number <= cursor; ++number) {
    const bool has = device(key).received.contains(log.entries[number - 1]->id);
    if (!has && !ended(log, number) && !may_be_dropped(log, number))
      report("proof", fmt::format("{}/{} begins at {} in the log, and has never received {}", key.user, key.device,
                                  cursor, number));
  }
}

void History::on_log_size(const std::string& user, std::size_t entries, std::size_t bytes) {
  if (entries > plan_.limits.notifications_per_user_max || (bytes > plan_.limits.bytes_per_user_max && entries > 1))
    report("queue", fmt::format("the log of {} holds {} notifications, {} B", user, entries, bytes));
}

void History::on_proof_answered(const inbox::Proof& proof) {
  const std::uint64_t upto = std::min(proof.range.upto, valid_upto(proof.epoch, proof.user));
  if (proof.range.after < upto) device({proof.user, proof.device}).saved.push_back({proof.range.after, upto});
}

void History::on_open_answered(const DeviceKey& key, const inbox::DeviceState& state) {
  Device& seen = device(key);
  for (const inbox::Range& range : seen.saved) {
    const auto covers = [&](const inbox::Range& other) { return range.upto > other.after && range.upto <= other.upto; };
    if (range.upto > state.cursor && std::ranges::none_of(state.above, covers))
      report("cursor", fmt::format("{}/{} had saved ({}, {}], and comes back at {}", key.user, key.device, range.after,
                                   range.upto, state.cursor));
  }
  if (!state.known) return;
  if (state.cursor < seen.cursor)
    report("cursor", fmt::format("{}/{} moved back from {} to {}", key.user, key.device, seen.cursor, state.cursor));
  seen.cursor = state.cursor;
}

void History::on_cut(std::size_t records) {
  for (std::size_t i = records; i < records_.size(); ++i) {
    const auto* lost = std::get_if<AcceptRecord>(&records_[i]);
    if (lost == nullptr || !told_.contains(lost->notification->id)) continue;
    if (plan_.durable) report("accepted", fmt::format("{} is lost by a crash of the store", lost->notification->id));
    told_.erase(lost->notification->id);
  }
  records_.resize(std::min(records, records_.size()), inbox::Proof{});
  const auto before = std::exchange(logs_, {});
  keys_.clear();
  ids_.clear();
  for (const Record& record : records_) apply(record);
  for (const auto& [user, log] : before) carry_over(log, logs_[user]);
  for (auto& [key, seen] : devices_) forget_cut(seen, size_of(key.user));
}

// What no log says any more, and is true.
void History::carry_over(const Log& before, Log& after) {
  // The store has forgotten that a device had it, and may have told that to another one before.
  after.proven_max = std::max(after.proven_max, std::min<std::uint64_t>(before.proven_max, after.entries.size()));
  // What had ended an entry was lost itself: the entry is there again, for those who had not come to it yet.
  for (std::uint64_t number = 1; number <= after.entries.size(); ++number) {
    const bool was_gone = is_replaced(before, number) || may_be_dropped(before, number);
    if (was_gone && !is_replaced(after, number)) revived_.insert(after.entries[number - 1]->id);
  }
}

// The numbers behind the cut will be given again.
void History::forget_cut(Device& seen, std::uint64_t size) const {
  seen.highest = std::min(seen.highest, size);
  seen.checked_to = std::min(seen.checked_to, size);
  seen.missing.erase(seen.missing.upper_bound(size), seen.missing.end());
  if (plan_.durable) return;
  seen.cursor = 0;
  seen.saved.clear();
}

std::uint64_t History::size_of(const std::string& user) const {
  const auto log = logs_.find(user);
  return log == logs_.end() ? 0 : log->second.entries.size();
}

// Of an epoch that the log does not know, nothing is left.
std::uint64_t History::valid_upto(const std::string& epoch, const std::string& user) const {
  const auto log = logs_.find(user);
  if (log == logs_.end() || !log->second.knows(epoch)) return 0;
  return epoch == log->second.epoch ? log->second.entries.size() : log->second.ends.at(epoch);
}

// --- producers ---

void History::on_told_accepted(const std::string& id) {
  if (ids_.contains(id)) {
    told_.insert(id);
  } else if (plan_.durable) {
    report("accepted", fmt::format("{} is accepted, says the answer, and is not in the log", id));
  }
}

// --- clients ---

void History::on_sent(const DeviceKey& key, const inbox::Notification& notification) {
  const UnixMs latest = notification.expires_at + 1'000 + plan_.clock_skew_max.count();
  if (scheduler_.unix_now() > latest)
    report("expiry", fmt::format("{} is sent to {}/{}, {} ms after its time", notification.id, key.user, key.device,
                                 scheduler_.unix_now() - notification.expires_at));
}

void History::on_received(const DeviceKey& key, const inbox::Position& position, const std::string& id) {
  Device& seen = device(key);
  ++received_;
  const Log& log = logs_[key.user];
  const bool lost = position.number > valid_upto(position.epoch, key.user);
  if (!lost && log.entries[position.number - 1]->id != id)
    report("order",
           fmt::format("{}/{} received {} at {}, where another one is", key.user, key.device, id, position.number));
  if (!seen.received.insert(id).second) {
    ++repeats_;
  } else if (!lost && position.number < seen.highest && !ended(log, position.number)) {
    report("order", fmt::format("{}/{} received {} after {}", key.user, key.device, position.number, seen.highest));
  }
  if (lost) return;  // it is in no log any more
  seen.missing.erase(position.number);
  seen.highest = std::max(seen.highest, position.number);
  look_for_gaps(key, seen, position.number - 1);
}

void History::on_gap(const DeviceKey& key, const inbox::Gap& gap) {
  ++gaps_;
  if (gap.reason == inbox::Gap::Reason::epoch) return;
  const Log& log = logs_[key.user];
  const std::uint64_t upto = std::min(gap.to, valid_upto(gap.epoch, key.user));
  for (std::uint64_t number = gap.from; number <= upto; ++number) device(key).told.insert(log.entries[number - 1]->id);
}

// What came before a device was registered is not for it; and until it is, what any other has proven.
std::uint64_t History::base(const DeviceKey& key, const Log& log) const {
  const auto found = log.registered.find(key.device);
  return found != log.registered.end() ? found->second : log.proven_max;
}

// Expired, perhaps only by a clock that is ahead; or replaced by a newer one, which may be lost since.
bool History::ended(const Log& log, std::uint64_t number) const {
  if (number > log.entries.size()) return false;
  const inbox::Notification& entry = *log.entries[number - 1];
  if (entry.expires_at <= scheduler_.unix_now() + plan_.clock_skew_max.count() + 1) return true;
  return is_replaced(log, number) || revived_.contains(entry.id);
}

bool History::is_replaced(const Log& log, std::uint64_t number) {
  const inbox::Notification& entry = *log.entries[number - 1];
  if (entry.collapse_key.empty()) return false;
  return std::any_of(log.entries.begin() + static_cast<std::ptrdiff_t>(number), log.entries.end(),
                     [&](const auto& newer) { return newer->collapse_key == entry.collapse_key; });
}

bool History::may_be_dropped(const Log& log, std::uint64_t number) const {
  if (log.entries.size() >= number + plan_.limits.notifications_per_user_max) return true;
  std::size_t bytes = 0;
  for (std::size_t i = number - 1; i < log.entries.size(); ++i) bytes += log.entries[i]->bytes();
  return bytes > plan_.limits.bytes_per_user_max;
}

void History::look_for_gaps(const DeviceKey& key, Device& seen, std::uint64_t upto) {
  const Log& log = logs_[key.user];
  upto = std::min<std::uint64_t>(upto, log.entries.size());
  for (std::uint64_t number = std::max(seen.checked_to, base(key, log)) + 1; number <= upto; ++number) {
    const std::string& id = log.entries[number - 1]->id;
    const bool told = seen.told.contains(id) && may_be_dropped(log, number);
    if (!seen.received.contains(id) && !told && !ended(log, number)) seen.missing.insert(number);
  }
  seen.checked_to = std::max(seen.checked_to, upto);
}

// --- the end ---

void History::finish() {
  for (const std::string& id : told_)
    if (!ids_.contains(id)) report("accepted", fmt::format("{} is in no log", id));
  for (const auto& [key, seen] : devices_) {
    if (seen.missing.empty()) continue;
    report("gap", fmt::format("{}/{} has received {}, and never {}", key.user, key.device, seen.highest,
                              *seen.missing.begin()));
  }
  for (const auto& [user, log] : logs_) finish_user(user, log);
}

void History::finish_user(const std::string& user, const Log& log) {
  for (std::uint64_t number = 1; number <= log.entries.size(); ++number) {
    if (ended(log, number)) continue;
    for (const auto& [name, first] : log.registered)
      if (number > first) finish_device({user, name}, log, number);
    const std::string& id = log.entries[number - 1]->id;
    const auto has = [&](const auto& item) { return item.first.user == user && item.second.received.contains(id); };
    if (!may_be_dropped(log, number) && std::ranges::none_of(devices_, has))
      report("liveness", fmt::format("{} ({} in the log of {}) was received by no device", id, number, user));
  }
}

void History::finish_device(const DeviceKey& key, const Log& log, std::uint64_t number) {
  const Device& seen = device(key);
  const std::string& id = log.entries[number - 1]->id;
  if (seen.received.contains(id)) return;
  if (!may_be_dropped(log, number)) {
    report("liveness", fmt::format("{} was not received by {}/{}", number, key.user, key.device));
  } else if (!seen.told.contains(id)) {
    report("gap", fmt::format("{}/{} was not told that {} was dropped", key.user, key.device, number));
  }
}

}  // namespace carillon::sim
