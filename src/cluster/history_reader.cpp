#include "cluster/history_reader.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace carillon::cluster {

void HistoryReader::read(const std::string& stream, socketio::SessionRecord record, const socketio::StreamOffset& from,
                         HistorySweep::Done done) {
  Named& named = *streams_.try_emplace(stream).first;
  named.second.waiting.push_back(
      {.record = std::move(record), .from = {from.ms, from.sequence}, .done = std::move(done)});
  if (!named.second.sweep) begin(named);
}

void HistoryReader::ask(std::vector<std::string> words, Named& stream,
                        std::function<void(Result<redis::Reply, redis::CommandError>&)> done) {
  link_.command(std::move(words), stream.first, [alive = std::weak_ptr(alive_), done = std::move(done)](auto reply) {
    if (!alive.expired()) done(reply);
  });
}

void HistoryReader::begin(Named& stream) {
  auto& waiting = stream.second.waiting;
  const auto count = static_cast<std::ptrdiff_t>(std::min(waiting.size(), settings_.readings_max));
  std::vector<HistorySweep::Reading> readings(std::move_iterator(waiting.begin()),
                                              std::move_iterator(waiting.begin() + count));
  waiting.erase(waiting.begin(), waiting.begin() + count);
  stream.second.sweep = std::make_unique<HistorySweep>(settings_.format, settings_.bytes_max, std::move(readings));
  ask({"XINFO", "STREAM", stream.first}, stream, [this, &stream](auto& reply) {
    HistorySweep& sweep = *stream.second.sweep;
    if (reply) {
      sweep.on_extent(*reply);
      return sweep.is_over() ? end(stream) : ask_page(stream);
    }
    const bool is_missing = reply.error().kind == redis::CommandError::Kind::refused &&
                            reply.error().text.find("no such key") != std::string::npos;
    if (is_missing) sweep.on_missing();
    end(stream);
  });
}

void HistoryReader::ask_page(Named& stream) {
  ask({"XRANGE", stream.first, "(" + to_string(stream.second.sweep->at()), "+", "COUNT",
       std::to_string(settings_.page_entries)},
      stream, [this, &stream](auto& reply) {
        if (!reply) return end(stream);
        on_page(stream, *reply);
      });
}

void HistoryReader::on_page(Named& stream, const redis::Reply& page) {
  HistorySweep& sweep = *stream.second.sweep;
  if (!sweep.on_page(page)) return end(stream);
  sweep.leave_behind(settings_.entries_max);
  if (sweep.is_over()) return end(stream);
  if (page.items.size() >= settings_.page_entries) return ask_page(stream);
  sweep.finish();
  end(stream);
}

// Who has no history yet gets none.
void HistoryReader::end(Named& stream) {
  stream.second.sweep->give_up();
  stream.second.sweep.reset();
  if (!stream.second.waiting.empty()) begin(stream);
}

}  // namespace carillon::cluster
