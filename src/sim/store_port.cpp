#include "sim/store_port.hpp"

#include <algorithm>
#include <utility>

#include "sim/shard.hpp"

namespace carillon::sim {

StorePort::StorePort(World& world, StoreHost& host, Shard& shard, const StoreLink& link)
    : world_(world), host_(host), shard_(shard), link_(link) {}

// --- there and back ---

template <class T>
void StorePort::call(std::string_view name, bool writes, typename StoreCallOf<T>::Parts parts, Done<T> done) {
  send(std::make_shared<StoreCallOf<T>>(name, writes, std::move(parts), std::move(done)));
}

void StorePort::send(const std::shared_ptr<StoreCall>& call) {
  if (!shard_.is_alive()) return;
  const bool dies = world_.faults && world_.prng.chance(world_.plan.crash_in_call_pm);
  const bool was_sent = !dies || world_.prng.chance(500);
  if (dies) shard_.doom();
  if (!was_sent) return;
  const std::uint64_t id = ++last_id_;
  waiting_.emplace(id, call);
  last_arrival_ =
      std::max(last_arrival_, world_.scheduler.now() + (world_.plan.shared ? world_.delay() : Milliseconds(0)));
  world_.scheduler.at(last_arrival_, [this, id, life = host_.life(), call] { arrive(id, life, call); });
  if (world_.plan.shared) world_.scheduler.after(world_.plan.call_timeout, [this, id] { fail(id); });
}

void StorePort::arrive(std::uint64_t id, std::uint64_t life, const std::shared_ptr<StoreCall>& call) {
  if (!host_.is_up() || life != host_.life()) return fail(id);
  if (link_.lost_to) return;
  host_.arrive(call, [this, id] { answer(id); });
}

void StorePort::answer(std::uint64_t id) {
  if (world_.plan.shared) {
    if (link_.lost_from || (world_.faults && world_.prng.chance(world_.plan.answer_lost_pm))) return;
    last_answer_ = std::max(last_answer_, world_.scheduler.now() + world_.delay());
  } else {
    last_answer_ = std::max(last_answer_, world_.scheduler.now());
  }
  world_.scheduler.at(last_answer_, [this, id] { complete(id); });
}

void StorePort::complete(std::uint64_t id) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return;  // it was given up
  const auto call = std::move(found->second);
  waiting_.erase(found);
  shard_.run([call] { call->complete(); });
}

// The store may still do it, or have done it: then its own result is nobody's any more.
void StorePort::fail(std::uint64_t id) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return;
  const auto call = std::move(found->second);
  waiting_.erase(found);
  shard_.run([call] {
    call->fail(inbox::StoreError::unavailable);
    call->complete();
  });
}

void StorePort::break_off() {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, call] : waiting_) ids.push_back(id);
  for (const std::uint64_t id : ids) fail(id);
}

// --- the calls ---

void StorePort::accept(inbox::Acceptance acceptance, Done<inbox::Accepted> done) {
  auto run = [acceptance](inbox::MemoryStore& model, Done<inbox::Accepted> then) {
    model.accept(acceptance, std::move(then));
  };
  auto stored = [acceptance, &trace = world_.trace](const inbox::Accepted& accepted, inbox::MemoryStore& model,
                                                    History& history) {
    history.on_accept_stored(acceptance, accepted);
    for (const inbox::Placement& placement : accepted.placements) {
      trace.line("store: {} is {} of {}, until {}, key '{}'", accepted.id, inbox::to_string(placement.position),
                 placement.user, acceptance.notification->expires_at, acceptance.notification->collapse_key);
      std::size_t entries = 0;
      std::size_t bytes = 0;
      model.read({.user = placement.user, .entries_max = SIZE_MAX, .bytes_max = SIZE_MAX},
                 [&](const Result<inbox::Page, inbox::StoreError>& page) {
                   entries = page->entries.size();
                   for (const inbox::Entry& entry : page->entries) bytes += entry.notification->bytes();
                 });
      model.run();
      history.on_log_size(placement.user, entries, bytes);
    }
  };
  // The store publishes the signals itself, when its answer may leave: a node that dies meanwhile owes nothing.
  auto answered = [acceptance, &host = host_](const inbox::Accepted& accepted, History&) {
    for (const inbox::Placement& placement : accepted.placements)
      host.publish({placement.user, placement.position, acceptance.notification});
  };
  call<inbox::Accepted>("accept", true, {std::move(run), std::move(stored), std::move(answered)}, std::move(done));
}

void StorePort::open(std::string user, std::string device, Done<inbox::DeviceState> done) {
  auto run = [user, device](inbox::MemoryStore& model, Done<inbox::DeviceState> then) {
    model.open(user, device, std::move(then));
  };
  auto answered = [key = DeviceKey{user, device}](const inbox::DeviceState& state, History& history) {
    history.on_open_answered(key, state);
  };
  call<inbox::DeviceState>("open", false, {std::move(run), {}, std::move(answered)}, std::move(done));
}

void StorePort::read(inbox::ReadRequest request, Done<inbox::Page> done) {
  const bool hides_gaps = world_.has_bug(Canary::gap);
  auto run = [request = std::move(request), hides_gaps](inbox::MemoryStore& model, Done<inbox::Page> then) {
    model.read(request, [hides_gaps, then = std::move(then)](Result<inbox::Page, inbox::StoreError> page) mutable {
      if (hides_gaps && page) page->dropped_to = 0;
      then(std::move(page));
    });
  };
  call<inbox::Page>("read", false, {std::move(run), {}, {}}, std::move(done));
}

void StorePort::prove(inbox::Proof proof, Done<void> done) {
  auto run = [proof](inbox::MemoryStore& model, Done<void> then) { model.prove(proof, std::move(then)); };
  auto stored = [proof, &trace = world_.trace](std::monostate, inbox::MemoryStore&, History& history) {
    trace.line("store: {}/{} has ({}, {}] of {} and all up to {}, by {}", proof.user, proof.device, proof.range.after,
               proof.range.upto, proof.epoch, proof.begins, proof.socket);
    history.on_proof_stored(proof);
  };
  auto answered = [proof](std::monostate, History& history) { history.on_proof_answered(proof); };
  call<void>("prove", true, {std::move(run), std::move(stored), std::move(answered)}, std::move(done));
}

void StorePort::mark_read(inbox::ReadMarks marks, Done<inbox::UserSummary> done) {
  auto run = [marks = std::move(marks)](inbox::MemoryStore& model, Done<inbox::UserSummary> then) {
    model.mark_read(marks, std::move(then));
  };
  call<inbox::UserSummary>("mark_read", true, {std::move(run), {}, {}}, std::move(done));
}

void StorePort::summarize(std::string user, UnixMs now, Done<inbox::UserSummary> done) {
  auto run = [user, now](inbox::MemoryStore& model, Done<inbox::UserSummary> then) {
    model.summarize(user, now, std::move(then));
  };
  call<inbox::UserSummary>("summarize", false, {std::move(run), {}, {}}, std::move(done));
}

void StorePort::inspect(inbox::InspectRequest request, Done<std::optional<inbox::Trace>> done) {
  auto run = [request = std::move(request)](inbox::MemoryStore& model, Done<std::optional<inbox::Trace>> then) {
    model.inspect(request, std::move(then));
  };
  call<std::optional<inbox::Trace>>("inspect", false, {std::move(run), {}, {}}, std::move(done));
}

void StorePort::sweep(UnixMs now, std::size_t notifications_max, Done<bool> done) {
  auto run = [now, notifications_max](inbox::MemoryStore& model, Done<bool> then) {
    model.sweep(now, notifications_max, std::move(then));
  };
  call<bool>("sweep", true, {std::move(run), {}, {}}, std::move(done));
}

}  // namespace carillon::sim
