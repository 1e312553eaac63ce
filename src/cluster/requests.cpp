#include "cluster/requests.hpp"

#include <algorithm>
#include <utility>

#include "socketio/broadcast_answers.hpp"
#include "socketio/operation.hpp"

namespace carillon::cluster {
namespace {

constexpr Milliseconds recount_interval{500};

Milliseconds timeout_of(const socketio::Operation& operation, const Requests::Limits& limits) {
  if (operation.kind != socketio::Operation::Kind::emit_with_ack) return limits.requests;
  const Milliseconds own = operation.whom().flags.timeout;
  return own.count() > 0 ? own : limits.acks;
}

}  // namespace

void Requests::ask(Question question, TimePoint now) {
  now_ = now;
  const std::string id = question.id;
  const std::string channel = question.channel;
  const redis::ChannelKind kind = question.kind;
  const TimePoint deadline = now + timeout_of(*question.operation, limits_);
  statistics_.requests.add();
  asked_.emplace(id, Asked{.question = std::move(question), .deadline = deadline, .who = {}, .result = {}});
  link_.count_subscribers(channel, kind, [this, id, alive = std::weak_ptr(alive_)](auto listeners) {
    if (!alive.expired()) on_first_count(id, listeners);
  });
}

void Requests::on_first_count(const std::string& id, std::optional<std::size_t> listeners) {
  const auto found = asked_.find(id);
  if (found == asked_.end()) return;
  Asked& asked = found->second;
  if (!listeners) {  // Redis is away: nobody can be asked
    asked.servers = std::max<std::size_t>(others_, 1);
    return finish(found);
  }
  others_ = asked.servers = *listeners > 0 ? *listeners - 1 : 0;
  asked.recount_at = now_ + recount_interval;
  if (asked.servers == 0) return finish(found);
  auto send = std::move(asked.question.send);
  send();  // may bring answers
}

void Requests::count_servers(std::string_view channel, redis::ChannelKind kind, socketio::OperationDone done) {
  link_.count_subscribers(channel, kind, [this, done = std::move(done), alive = std::weak_ptr(alive_)](auto listeners) {
    if (alive.expired()) return;
    socketio::OperationResult result;
    // This server is there, whatever Redis knows of it.
    result.count = std::max<std::size_t>(listeners.value_or(1), 1);
    if (!listeners) result.missing_servers = std::max<std::size_t>(others_, 1);
    if (listeners) others_ = result.count - 1;
    done(result);
  });
}

// --- answers ---

const socketio::Operation* Requests::operation_of(std::string_view id) const {
  const auto found = asked_.find(id);
  return found == asked_.end() ? nullptr : found->second.question.operation.get();
}

Requests::Asked* Requests::find(std::string_view id) {
  const auto found = asked_.find(id);
  if (found == asked_.end()) statistics_.strayed_answers.add();
  return found == asked_.end() ? nullptr : &found->second;
}

// Whether the server answers for the first time, and there is still somebody to wait for.
bool Requests::note_server(Asked& asked, std::string_view server) {
  const bool repeated = !server.empty() && std::find(asked.who.begin(), asked.who.end(), server) != asked.who.end();
  if (repeated || asked.answered >= asked.servers) {
    statistics_.strayed_answers.add();
    return false;
  }
  if (!server.empty()) asked.who.emplace_back(server);
  ++asked.answered;
  return true;
}

void Requests::answer(std::string_view id, std::string_view server, socketio::OperationResult part) {
  Asked* asked = find(id);
  if (asked == nullptr || !note_server(*asked, server)) return;
  socketio::add_to(asked->result, std::move(part));
  check(id);
}

void Requests::add_clients(std::string_view id, std::string_view server, std::size_t clients) {
  Asked* asked = find(id);
  if (asked == nullptr || !note_server(*asked, server)) return;
  asked->clients += clients;
  check(id);
}

// What many clients answer is kept until the last has: together they may not take more memory than the limit.
void Requests::add_ack(std::string_view id, Args args) {
  Asked* asked = find(id);
  if (asked == nullptr) return;
  ++asked->acks;
  const std::size_t bytes = sizeof(Args) + socketio::bytes_of(args);  // an empty one takes room, too
  if (bytes > limits_.acks_bytes_max - asked->acks_bytes) {
    statistics_.acks_dropped.add();  // and it counts as missing
  } else {
    asked->acks_bytes += bytes;
    asked->result.acks.responses.push_back(std::move(args));
  }
  check(id);
}

bool Requests::is_complete(const Asked& asked) const {
  if (asked.answered < asked.servers) return false;
  return asked.question.operation->kind != socketio::Operation::Kind::emit_with_ack || asked.acks >= asked.clients;
}

void Requests::check(std::string_view id) {
  const auto found = asked_.find(id);
  if (is_complete(found->second)) finish(found);
}

void Requests::finish(Table::iterator found) {
  Asked asked = std::move(found->second);
  asked_.erase(found);
  // Not even how many there are has been said in time.
  if (asked.recount_at == never) asked.servers = std::max({asked.servers, others_, std::size_t{1}});
  socketio::OperationResult& result = asked.result;
  result.missing_servers += asked.servers - std::min(asked.answered, asked.servers);
  if (result.missing_servers > 0) statistics_.incomplete_requests.add();
  if (asked.clients > result.acks.responses.size()) result.acks.missing = asked.clients - result.acks.responses.size();
  asked.question.done(result);
}

// --- time ---

TimePoint Requests::next_deadline() const {
  TimePoint next = never;
  for (const auto& [id, asked] : asked_) next = std::min({next, asked.deadline, asked.recount_at});
  return next;
}

void Requests::on_time(TimePoint now) {
  now_ = now;
  std::vector<std::string> late;
  std::vector<std::string> due;
  for (auto& [id, asked] : asked_) {
    if (now >= asked.deadline) {
      late.push_back(id);
    } else if (now >= asked.recount_at) {
      asked.recount_at = now + recount_interval;
      due.push_back(id);
    }
  }
  for (const std::string& id : late)
    if (const auto found = asked_.find(id); found != asked_.end()) finish(found);
  for (const std::string& id : due) {
    const auto found = asked_.find(id);
    if (found == asked_.end()) continue;
    const Question& question = found->second.question;
    const auto recounted = [this, key = id, alive = std::weak_ptr(alive_)](auto listeners) {
      if (!alive.expired()) on_recount(key, listeners);
    };
    link_.count_subscribers(question.channel, question.kind, recounted);
  }
}

// A server whose connection has ended answers no more, and is not waited for. It may have answered before it ended, while
// another, that is alive, has not: so the call ends only when the same number has been seen twice, with no answer in
// between.
void Requests::on_recount(const std::string& id, std::optional<std::size_t> listeners) {
  const auto found = asked_.find(id);
  if (found == asked_.end() || !listeners) return;
  Asked& asked = found->second;
  const std::size_t others = *listeners > 0 ? *listeners - 1 : 0;
  others_ = others;
  const bool dwindled = others < asked.servers && asked.answered >= others;
  const bool again = asked.dwindled && asked.answered_at_recount == asked.answered;
  asked.dwindled = dwindled;
  asked.answered_at_recount = asked.answered;
  if (!dwindled || !again) return;
  if (asked.question.operation->kind == socketio::Operation::Kind::emit_with_ack &&
      asked.result.acks.responses.size() < asked.clients)
    return;  // clients are still waited for: perhaps those of the server that ended, until the deadline
  finish(found);
}

}  // namespace carillon::cluster
