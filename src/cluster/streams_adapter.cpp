#include "cluster/streams_adapter.hpp"

#include <algorithm>
#include <optional>

#include "cluster/stream_name.hpp"

namespace carillon::cluster {

StreamsAdapter::StreamsAdapter(redis::Link& link, NodePort& port, Random& random, const StreamsOptions& options)
    : MessageAdapter(link, port, random, options, options.channels, [](std::string_view) { return false; }),
      stream_name_(options.stream_name),
      stream_count_(std::max(options.stream_count, 1U)),
      stream_length_max_(options.stream_length_max),
      channels_(options.channels) {
  for (std::string& name : stream_names(stream_name_, stream_count_)) link.follow(std::move(name));
}

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
      return link().publish(channel(message.name_space), encode(message), channels_);
  }
}

void StreamsAdapter::append(const OutgoingMessage& message) {
  link().append(stream_name(stream_name_, stream_count_, message.name_space), encode_entry(uid(), message),
                stream_length_max_, {});
}

void StreamsAdapter::on_entry(std::string_view stream, std::string_view /*id*/, redis::StreamFieldsView fields) {
  counters().received.add();
  // Our own come by, too; they are not worth to be decoded.
  const bool is_own =
      std::ranges::any_of(fields, [&](const auto& field) { return field.first == "uid" && field.second == uid(); });
  if (is_own) return counters().own.add();
  IncomingMessage message;
  if (const auto decoded = decode_entry(fields, message); !decoded) return reject(decoded.error(), stream);
  receive(message, stream);
}

void StreamsAdapter::on_entries_lost(std::string_view /*stream*/) { port().on_gap(); }

}  // namespace carillon::cluster
