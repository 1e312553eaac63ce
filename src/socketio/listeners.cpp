#include "socketio/listeners.hpp"

#include <algorithm>
#include <utility>

namespace carillon::socketio {

ListenerId Listeners::add(std::string_view event, Socket::EventHandler handler, bool once) {
  entries_.push_back(
      {++last_id_, once, std::string(event), std::make_shared<Socket::EventHandler>(std::move(handler))});
  return ListenerId{last_id_};
}

// What is removed is destroyed last: that may run code of the application.
void Listeners::remove(std::string_view event) {
  std::vector<HandlerPtr> removed;
  std::erase_if(entries_, [&](Entry& entry) {
    if (entry.event != event) return false;
    removed.push_back(std::move(entry.handler));
    return true;
  });
}

void Listeners::remove(ListenerId id) {
  const auto found = std::ranges::find(entries_, static_cast<std::uint64_t>(id), &Entry::id);
  if (found == entries_.end()) return;
  const HandlerPtr removed = std::move(found->handler);
  entries_.erase(found);
}

void Listeners::clear() { std::exchange(entries_, {}).clear(); }

Listeners::HandlerPtr Listeners::Walk::next() {
  auto& entries = listeners_.entries_;
  const auto found = std::ranges::find_if(
      entries, [this](const Entry& entry) { return entry.id > at_ && entry.id <= last_ && entry.event == event_; });
  if (found == entries.end()) return nullptr;
  at_ = found->id;
  if (!found->once) return found->handler;
  HandlerPtr handler = std::move(found->handler);
  entries.erase(found);
  return handler;
}

}  // namespace carillon::socketio
