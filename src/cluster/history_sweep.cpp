#include "cluster/history_sweep.hpp"

#include <algorithm>

#include "cluster/cluster_message.hpp"

namespace carillon::cluster {
namespace {

using Type = redis::Reply::Type;

const redis::Reply* find(const redis::Reply& pairs, std::string_view name) {
  for (std::size_t i = 0; i + 1 < pairs.items.size(); i += 2)
    if (pairs.items[i].text == name) return &pairs.items[i + 1];
  return nullptr;
}

std::optional<redis::StreamId> id_of(const redis::Reply* text) {
  return text == nullptr ? std::nullopt : redis::parse_stream_id(text->text);
}

// Whether everything behind the entry is still there, by XINFO STREAM.
bool is_whole(const redis::Reply& info, const redis::StreamId& from) {
  const auto last = id_of(find(info, "last-generated-id"));
  if (!last || *last < from) return false;
  if (*last == from) return true;
  const redis::Reply* first_entry = find(info, "first-entry");
  if (first_entry == nullptr || first_entry->items.empty()) return false;
  const auto first = id_of(first_entry->items.data());
  if (!first) return false;
  if (*first <= from) return true;
  // Before the first of all entries there was nothing, if none has been removed.
  const redis::Reply* added = find(info, "entries-added");
  const redis::Reply* length = find(info, "length");
  return from == redis::StreamId{} && added != nullptr && length != nullptr && added->number == length->number;
}

bool is_in_one(const std::vector<std::string>& rooms, const std::vector<std::string>& of) {
  return std::ranges::any_of(rooms, [&](const std::string& room) { return std::ranges::find(of, room) != of.end(); });
}

}  // namespace

HistorySweep::HistorySweep(const socketio::PacketFormat& format, std::size_t bytes_max, std::vector<Reading> readings)
    : format_(format), bytes_max_(bytes_max), readings_(std::move(readings)), left_(readings_.size()) {
  const auto first = std::ranges::min_element(readings_, {}, &Reading::from);
  if (first != readings_.end()) at_ = first->from;
  for (Reading& reading : readings_)
    for (const std::string& room : reading.record.rooms) members_[room].push_back(&reading);
}

void HistorySweep::on_extent(const redis::Reply& info) {
  for (Reading& reading : readings_)
    if (!is_whole(info, reading.from)) give_up(reading);
}

void HistorySweep::on_missing() {
  for (Reading& reading : readings_)
    if (reading.from != redis::StreamId{}) give_up(reading);
  finish();
}

bool HistorySweep::on_page(const redis::Reply& page) {
  entries_before_ = entries_;
  return page.type == Type::array &&
         std::ranges::all_of(page.items, [this](const redis::Reply& entry) { return on_entry(entry); });
}

void HistorySweep::leave_behind(std::size_t entries_max) {
  const Reading* hindmost = nullptr;
  for (Reading& reading : readings_) {
    if (!reading.done) continue;
    if (!reading.begun && reading.from < at_) reading.begun = entries_before_;
    if (reading.begun && entries_ - *reading.begun > entries_max) {
      give_up(reading);
    } else if (hindmost == nullptr || reading.from < hindmost->from) {
      hindmost = &reading;
    }
  }
  if (hindmost != nullptr) at_ = std::max(at_, hindmost->from);
}

bool HistorySweep::on_entry(const redis::Reply& entry) {
  if (entry.items.size() != 2) return false;
  const auto id = redis::parse_stream_id(entry.items[0].text);
  const std::vector<redis::Reply>& texts = entry.items[1].items;
  if (!id || *id <= at_ || texts.size() % 2 != 0) return false;
  at_ = *id;
  ++entries_;
  fields_.clear();
  for (std::size_t i = 0; i < texts.size(); i += 2) fields_.emplace_back(texts[i].text, texts[i + 1].text);
  take(*id);
  return true;
}

// An event, a note of a node, or something else.
void HistorySweep::take(const redis::StreamId& id) {
  IncomingMessage message;
  if (!decode_entry(fields_, message)) return;
  if (const auto note = read_note(fields_)) notes_.emplace_back(message.uid, *note);
  if (message.type != static_cast<std::int64_t>(MessageType::broadcast)) return;
  auto request = read_request(message);
  if (!request || !request->event.exists()) return;
  socketio::Selection& whom = request->operation.selection;
  if (whom.flags.is_volatile) return;
  const std::vector<Reading*> meant = receivers(whom, id);
  if (meant.empty()) return;
  const auto event = to_broadcast(format_, std::move(whom), request->event, {id.ms, id.sequence});
  if (!event) return;
  const engineio::FramesPtr& frames = (*event)->frames;
  const auto number = entry_number(fields_);
  for (Reading* reading : meant) {
    reading->history.events.push_back(frames);
    reading->bytes += frames->bytes();
    if (number && reading->record.node == message.uid) reading->numbers.push_back(*number);
    if (reading->bytes > bytes_max_) give_up(*reading);
  }
}

std::vector<HistorySweep::Reading*> HistorySweep::receivers(const socketio::Selection& whom,
                                                            const redis::StreamId& id) {
  std::vector<Reading*> found;
  const auto consider = [&](Reading& reading) {
    if (!reading.done || std::exchange(reading.mark, entries_) == entries_) return;
    if (id <= reading.from || reading.record.name_space != whom.name_space) return;
    if (!is_in_one(whom.except, reading.record.rooms)) found.push_back(&reading);
  };
  if (whom.rooms.empty())
    for (Reading& reading : readings_) consider(reading);
  for (const std::string& room : whom.rooms)
    if (const auto members = members_.find(room); members != members_.end())
      for (Reading* reading : members->second) consider(*reading);
  return found;
}

// Its node delivered some of it before it knew where in the stream that is.
bool HistorySweep::is_in_doubt(const Reading& reading) const {
  return std::ranges::any_of(notes_, [&](const auto& entry) {
    const auto& [node, note] = entry;
    return node == reading.record.node && std::ranges::any_of(reading.numbers, [&](std::uint64_t number) {
             return number >= note.first && number <= note.last;
           });
  });
}

void HistorySweep::finish() {
  for (Reading& reading : readings_) {
    if (!reading.done) continue;
    if (is_in_doubt(reading)) {
      give_up(reading);
      continue;
    }
    reading.history.upto = {at_.ms, at_.sequence};
    --left_;
    std::exchange(reading.done, {})(std::move(reading.history));
  }
}

void HistorySweep::give_up() {
  for (Reading& reading : readings_) give_up(reading);
}

void HistorySweep::give_up(Reading& reading) {
  if (!reading.done) return;
  --left_;
  reading.history = {};
  std::exchange(reading.done, {})(std::nullopt);
}

}  // namespace carillon::cluster
