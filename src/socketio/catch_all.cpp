#include "socketio/catch_all.hpp"

#include <utility>

#include "socketio/application_call.hpp"

namespace carillon::socketio {

CatchAll::Entry CatchAll::make(Socket::AnyHandler handler) {
  return {++last_id_, std::make_shared<Socket::AnyHandler>(std::move(handler))};
}

ListenerId CatchAll::append(Socket::AnyHandler handler) {
  entries_.push_back(make(std::move(handler)));
  return ListenerId{last_id_};
}

ListenerId CatchAll::prepend(Socket::AnyHandler handler) {
  entries_.insert(entries_.begin(), make(std::move(handler)));
  return ListenerId{last_id_};
}

void CatchAll::remove(ListenerId id) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.id == static_cast<std::uint64_t>(id); });
}

void CatchAll::call(Stats& stats, std::string_view what, std::string_view event, const Args& args) const {
  const auto entries = entries_;
  for (const Entry& entry : entries) call_application(stats, what, event, [&] { (*entry.handler)(event, args); });
}

}  // namespace carillon::socketio
