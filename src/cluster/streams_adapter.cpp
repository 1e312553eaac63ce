#include "cluster/streams_adapter.hpp"

#include <algorithm>
#include <utility>

#include "cluster/stream_name.hpp"
#include "redis/stream_id.hpp"

namespace carillon::cluster {
namespace {

constexpr Milliseconds note_interval{100};    // notes of early broadcasts: a slow Redis does not get one with each
constexpr Milliseconds tell_interval{1'000};  // shards hear of entries that are not for them so often

socketio::StreamOffset to_offset(std::string_view id) {
  const auto parsed = redis::parse_stream_id(id);
  return parsed ? socketio::StreamOffset{parsed->ms, parsed->sequence} : socketio::StreamOffset{};
}

}  // namespace

StreamsAdapter::StreamsAdapter(redis::Link& link, NodePort& port, Random& random, const StreamsOptions& options)
    : MessageAdapter(link, port, random, static_cast<const MessageAdapterOptions&>(options), options.channels,
                     [](std::string_view) { return false; }),
      options_(options) {
  options_.stream_count = std::max(options_.stream_count, 1U);
  std::size_t index = 0;
  for (std::string& name : stream_names(options_.stream_name, options_.stream_count)) {
    streams_.try_emplace(name).first->second.index = index++;
    link.follow(std::move(name));
  }
}

std::string StreamsAdapter::stream_of(std::string_view name_space) const {
  return stream_name(options_.stream_name, options_.stream_count, name_space);
}

// --- what this node has to say ---

void StreamsAdapter::send_broadcast(const socketio::Broadcast& /*broadcast*/, const OutgoingMessage& message) {
  append(message);
}

// What is answered goes through channels, and so does, with the published adapter, what might have been.
void StreamsAdapter::send_request(const OutgoingMessage& message) {
  switch (message.type) {
    case MessageType::join:
    case MessageType::leave:
    case MessageType::disconnect:
      return append(message);
    default:
      return link().publish(channel(message.name_space), encode(message), options_.channels);
  }
}

void StreamsAdapter::append(const OutgoingMessage& message) {
  link().append(stream_of(message.name_space), encode_entry(uid(), message), options_.stream_length_max, {});
}

// --- who has come back elsewhere ---

void StreamsAdapter::tell_taken(const std::string& node, std::string_view name_space, const TakenSession& session) {
  link().publish(channel(name_space, node), encode(taken_message(name_space, session)), options_.channels);
}

void StreamsAdapter::on_heartbeat(const IncomingMessage& message) {
  const auto session = on_taken_ ? read_taken(message) : std::nullopt;
  if (!session) return counters().unwanted.add();
  on_taken_(*session);
}

// --- in the order of the stream ---

std::optional<OutgoingMessage> StreamsAdapter::outgoing_of(const socketio::Broadcast& message) {
  if (message.flags.local) return std::nullopt;
  auto outgoing = broadcast_message(message);
  if (outgoing) {
    counters().published.add();
  } else {
    counters().unpublishable.add();
  }
  return outgoing;
}

void StreamsAdapter::publish_in_order(socketio::BroadcastPtr message, TimePoint now) {
  now_ = now;
  const std::string name = stream_of(message->name_space);
  Stream& stream = streams_[name];
  const auto outgoing = outgoing_of(*message);
  stream.waiting.push_back({.message = std::move(message), .deadline = now + options_.hold_max_ms});
  if (outgoing) {
    const std::uint64_t number = stream.waiting.back().number = ++last_number_;
    redis::StreamFields fields = encode_entry(uid(), *outgoing);
    add_number(fields, number);
    if (stream.is_slow && stream.probe == 0) {
      stream.probe = number;
      stream.probe_until = now + options_.hold_max_ms / 2;
    }
    link().append(name, std::move(fields), options_.stream_length_max,
                  [this, name, number, alive = std::weak_ptr(alive_)](std::optional<std::string_view> id) {
                    if (!id && !alive.expired()) on_append_failed(name, number);
                  });
  }
  if (!link().ready() || stream.is_slow) return release_all(stream);
  release_unordered(stream);
}

void StreamsAdapter::on_append_failed(const std::string& name, std::uint64_t number) {
  release_through(streams_[name], number);
}

void StreamsAdapter::release_first(Stream& stream, const socketio::StreamOffset& entry) {
  const Waiting first = std::move(stream.waiting.front());
  stream.waiting.pop_front();
  if (first.number != 0 && !entry.exists()) {
    counters().early.add();
    if (!stream.early) stream.early = StreamNote{first.number, first.number};
    stream.early->last = first.number;
  }
  port().release(first.message, frames_with(*first.message, stream.position), entry);
}

// Those that wait for nothing but those before them.
void StreamsAdapter::release_unordered(Stream& stream) {
  while (!stream.waiting.empty() && stream.waiting.front().number == 0) release_first(stream, {});
}

void StreamsAdapter::release_through(Stream& stream, std::uint64_t number) {
  const bool is_waiting =
      std::ranges::any_of(stream.waiting, [&](const Waiting& each) { return each.number == number; });
  if (!is_waiting) return;
  while (stream.waiting.front().number != number) release_first(stream, {});
  release_first(stream, {});
  release_unordered(stream);
}

void StreamsAdapter::release_all(Stream& stream) {
  while (!stream.waiting.empty()) release_first(stream, {});
}

void StreamsAdapter::set_slow(Stream& stream, bool slow) {
  stream.is_slow = slow;
  stream.probe = 0;
  stream.probe_until = never;
}

void StreamsAdapter::write_note(const std::string& name, Stream& stream) {
  if (!stream.early || !link().ready() || now_ < stream.note_at) return;
  stream.note_at = now_ + note_interval;
  link().append(name, note_entry(uid(), *std::exchange(stream.early, std::nullopt)), options_.stream_length_max, {});
}

void StreamsAdapter::on_ready(bool ready) {
  MessageAdapter::on_ready(ready);
  for (auto& [name, stream] : streams_) {
    set_slow(stream, false);
    if (ready) {
      write_note(name, stream);
    } else {
      release_all(stream);
    }
  }
}

TimePoint StreamsAdapter::next_deadline() const {
  TimePoint next = std::min(MessageAdapter::next_deadline(), tell_at_);
  for (const auto& [name, stream] : streams_) {
    if (!stream.waiting.empty()) next = std::min(next, stream.waiting.front().deadline);
    if (stream.early && link().ready()) next = std::min(next, stream.note_at);
    next = std::min(next, stream.probe_until);
  }
  return next;
}

void StreamsAdapter::on_time(TimePoint now) {
  now_ = now;
  MessageAdapter::on_time(now);
  for (auto& [name, stream] : streams_) {
    if (!stream.waiting.empty() && stream.waiting.front().deadline <= now) {
      set_slow(stream, true);
      release_all(stream);
    }
    if (now >= stream.probe_until) set_slow(stream, true);  // too late, too: the next one is another probe
    write_note(name, stream);
  }
  if (now < tell_at_) return;
  tell_at_ = never;
  for (auto& [name, stream] : streams_)
    if (!std::exchange(stream.is_told, true)) port().on_stream_position(stream.index, stream.position);
}

// --- what comes out of the streams ---

void StreamsAdapter::on_entry(std::string_view name, std::string_view id, redis::StreamFieldsView fields) {
  counters().received.add();
  const auto found = streams_.find(name);
  if (found == streams_.end()) return counters().unwanted.add();
  Stream& stream = found->second;
  if (options_.recovery) {
    stream.position = to_offset(id);
    stream.is_told = false;
    if (tell_at_ == never) tell_at_ = now_ + tell_interval;
  }
  // Our own come by, too; they are not worth to be decoded.
  const bool is_own =
      std::ranges::any_of(fields, [&](const auto& field) { return field.first == "uid" && field.second == uid(); });
  if (is_own) {
    counters().own.add();
    if (options_.recovery) on_own_entry(stream, fields);
    return;
  }
  IncomingMessage message;
  if (const auto decoded = decode_entry(fields, message); !decoded) return reject(decoded.error(), name);
  if (options_.recovery) message.entry = stream.position;
  receive(message, name);
}

// Those before it that have not come will not come. One that is not waited for has been released before.
void StreamsAdapter::on_own_entry(Stream& stream, redis::StreamFieldsView fields) {
  const auto number = entry_number(fields);
  if (!number || *number > last_number_) return;
  if (stream.probe != 0 && *number >= stream.probe) set_slow(stream, false);
  const auto is_before = [&] { return !stream.waiting.empty() && stream.waiting.front().number < *number; };
  while (is_before()) release_first(stream, {});
  if (stream.waiting.empty() || stream.waiting.front().number != *number) return;
  release_first(stream, stream.position);
  release_unordered(stream);
}

void StreamsAdapter::on_position(std::string_view name, std::string_view id) {
  const auto found = streams_.find(name);
  if (found == streams_.end() || !options_.recovery) return;
  found->second.position = to_offset(id);
  found->second.is_told = true;
  port().on_stream_position(found->second.index, found->second.position);
}

void StreamsAdapter::on_entries_lost(std::string_view /*stream*/) { port().on_gap(); }

}  // namespace carillon::cluster
