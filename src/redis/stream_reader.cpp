#include "redis/stream_reader.hpp"

#include <algorithm>

namespace carillon::redis {

void StreamReader::follow(std::string stream) {
  const auto same = [&](const Stream& known) { return known.name == stream; };
  if (std::find_if(streams_.begin(), streams_.end(), same) == streams_.end())
    streams_.push_back({.name = std::move(stream), .inspecting = true});
}

void StreamReader::start() {
  stop();
  up_ = true;
  for (Stream& stream : streams_) {
    stream.inspecting = !stream.skipping;
    stream.verified = stream.skipping;
  }
}

void StreamReader::stop() {
  up_ = reading_ = behind_ = complete_ = false;
  inspected_.clear();
}

void StreamReader::shrink() {
  if (count_ > 1) {
    count_ /= 2;
  } else {
    for (Stream& stream : streams_) stream.skipping = stream.skipped = true;
  }
}

std::vector<StreamReader::Request> StreamReader::take_requests() {
  std::vector<Request> requests;
  if (!up_) return requests;
  bool verified = true;
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    Stream& stream = streams_[i];
    verified = verified && stream.verified;
    if (!std::exchange(stream.inspecting, false)) continue;
    requests.push_back({Command::inspect, {"XINFO", "STREAM", stream.name}});
    inspected_.push_back(i);
  }
  // Together with an XINFO: what that says is still true when the read is done.
  if (!reading_ && verified && !streams_.empty()) {
    reading_ = true;
    requests.push_back(read_request());
  }
  return requests;
}

StreamReader::Request StreamReader::read_request() const {
  Request request{Command::read, {"XREAD", "COUNT", std::to_string(count_)}};
  std::vector<std::string>& words = request.words;
  if (complete_ && !behind_) {
    words.emplace_back("BLOCK");
    words.push_back(std::to_string(std::max<Milliseconds::rep>(options_.ping_interval_ms.count(), 1)));
  }
  words.emplace_back("STREAMS");
  for (const Stream& stream : streams_) words.push_back(stream.name);
  for (const Stream& stream : streams_) words.push_back(stream.skipping ? "$" : to_string(stream.position));
  return request;
}

bool StreamReader::on_inspected(const Reply& reply, LinkListener* listener) {
  if (inspected_.empty()) return false;
  Stream& stream = streams_[inspected_.front()];
  inspected_.pop_front();
  Extent extent;  // of a stream that does not exist
  if (reply.type != Reply::Type::error && !read_extent(reply, extent)) return false;
  stream.verified = true;
  const bool lost = stream.placed && has_lost(stream, extent);
  // It may have been deleted, or Redis has failed over to a replica that had less of it. What is added from now on
  // comes, and nothing comes twice.
  const bool went_back = extent.last < stream.position;
  const bool moved = !stream.placed || went_back;
  if (moved) stream.position = extent.last;
  stream.placed = true;
  if (moved && listener != nullptr) listener->on_position(stream.name, to_string(stream.position));
  if (lost) tell_lost(stream, listener);
  return true;
}

void StreamReader::tell_lost(const Stream& stream, LinkListener* listener) {
  statistics_.entries_lost.add();
  log_.tell_lost_entries(stream.name);
  if (listener != nullptr) listener->on_entries_lost(stream.name);
}

bool StreamReader::has_lost(const Stream& stream, const Extent& extent) {
  if (extent.last < stream.position) return true;
  if (extent.last == stream.position) return false;
  if (extent.left == 0) return true;
  if (extent.first <= stream.position) return false;
  // What was last read is not there any more. If it was the beginning, perhaps nothing has been removed.
  return stream.position != StreamId{} || (extent.added >= 0 && extent.added != extent.left);
}

// Names and values in turn; those that are not known are passed over.
bool StreamReader::read_extent(const Reply& reply, Extent& extent) {
  if (reply.type != Reply::Type::array || reply.items.size() % 2 != 0) return false;
  bool complete = false;
  for (std::size_t i = 0; i < reply.items.size(); i += 2) {
    const std::string& name = reply.items[i].text;
    const Reply& value = reply.items[i + 1];
    if (name == "length") extent.left = value.number;
    if (name == "entries-added") extent.added = value.number;
    if (name == "last-generated-id") {
      const auto id = parse_stream_id(value.text);
      if (!id) return false;
      extent.last = *id;
      complete = true;
    }
    if (name == "first-entry" && value.type == Reply::Type::array && !value.items.empty()) {
      const auto id = parse_stream_id(value.items[0].text);
      if (!id) return false;
      extent.first = *id;
    }
  }
  return complete;
}

bool StreamReader::on_read(const Reply& reply, LinkListener* listener) {
  if (!reading_) return false;
  reading_ = false;
  complete_ = true;
  behind_ = false;
  for (Stream& stream : streams_)
    if (std::exchange(stream.skipped, false)) tell_lost(stream, listener);
  if (reply.type == Reply::Type::nil) return true;
  if (reply.type != Reply::Type::array) return false;
  for (const Reply& part : reply.items) {
    if (part.items.size() != 2) return false;
    const auto stream = std::find_if(streams_.begin(), streams_.end(),
                                     [&](const Stream& known) { return known.name == part.items[0].text; });
    if (stream == streams_.end()) return false;
    const std::vector<Reply>& entries = part.items[1].items;
    for (const Reply& entry : entries)
      if (!deliver(entry, *stream, listener)) return false;
    if (entries.size() >= count_) stream->inspecting = behind_ = true;
  }
  if (count_ < options_.stream_read_count_max) ++count_;
  return true;
}

bool StreamReader::deliver(const Reply& entry, Stream& stream, LinkListener* listener) {
  if (entry.items.size() != 2 || entry.items[1].items.size() % 2 != 0) return false;
  const auto id = parse_stream_id(entry.items[0].text);
  if (!id || *id <= stream.position) return false;
  stream.position = *id;
  stream.skipping = false;
  fields_.clear();
  const std::vector<Reply>& texts = entry.items[1].items;
  for (std::size_t i = 0; i < texts.size(); i += 2) fields_.emplace_back(texts[i].text, texts[i + 1].text);
  statistics_.entries.add();
  if (listener != nullptr) listener->on_entry(stream.name, entry.items[0].text, fields_);
  return true;
}

}  // namespace carillon::redis
