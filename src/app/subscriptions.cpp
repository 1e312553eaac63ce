#include "app/subscriptions.hpp"

#include <algorithm>
#include <expected>
#include <memory>
#include <utility>

#include "base/result.hpp"
#include "base/utf8.hpp"

namespace carillon::app {
namespace {

constexpr std::string_view user_prefix = "user:";

// Greedy with one step back: linear for a single `*`, at most the product of both lengths for many.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t from = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  return std::ranges::all_of(pattern.substr(p), [](char c) { return c == '*'; });
}

// The names in the first argument, each once, or what is wrong with it.
Result<std::vector<std::string>, std::string> rooms_in(const Args& args) {
  Array given;
  if (args[0].as_array() != nullptr) {
    given = *args[0].as_array();
  } else {
    given.push_back(args[0]);
  }
  if (given.empty() || given.size() > subscription_rooms_max)
    return Failure("expected a room, or a list of 1 to " + std::to_string(subscription_rooms_max) + " rooms");
  std::vector<std::string> rooms;
  for (const Value& value : given) {
    const std::string* room = value.as_string();
    if (room == nullptr || room->empty() || room->size() > room_bytes_max || !is_utf8(*room))
      return Failure("a room is a text of 1 to " + std::to_string(room_bytes_max) + " bytes");
    if (std::ranges::find(rooms, *room) == rooms.end()) rooms.push_back(*room);
  }
  return rooms;
}

// As rooms_in(), and all of them are allowed.
Result<std::vector<std::string>, std::string> allowed_rooms(const Args& args,
                                                            const std::vector<std::string>& patterns) {
  auto rooms = rooms_in(args);
  if (!rooms) return rooms;
  for (const std::string& room : *rooms)
    if (!allows(patterns, room)) return Failure("not allowed: " + room);
  return rooms;
}

Object answer(const std::vector<std::string>& rooms) { return {{"rooms", Value(Array(rooms.begin(), rooms.end()))}}; }

void subscribe(Socket& socket, const std::vector<std::string>& rooms, const Ack& ack) {
  const auto left = std::make_shared<std::size_t>(rooms.size());
  for (const std::string& room : rooms) {
    const bool joins = socket.join(room, [left, rooms, ack] {
      if (--*left == 0) ack(answer(rooms));
    });
    if (!joins) return ack(Object{{"error", "you are in too many rooms"}});
  }
}

}  // namespace

bool allows(const std::vector<std::string>& patterns, std::string_view room) {
  return std::ranges::any_of(patterns, [room](const std::string& pattern) {
    if (room.starts_with(user_prefix) && !pattern.starts_with(user_prefix)) return false;
    return matches(pattern, room);
  });
}

void serve_subscriptions(Server& server, std::vector<std::string> patterns) {
  const auto shared = std::make_shared<const std::vector<std::string>>(std::move(patterns));
  server.on_connection([shared](Socket& socket) {
    socket.on("subscribe", [&socket, shared](const Args& args, const Ack& ack) {
      const auto rooms = allowed_rooms(args, *shared);
      if (!rooms) return ack(Object{{"error", rooms.error()}});
      subscribe(socket, *rooms, ack);
    });
    socket.on("unsubscribe", [&socket, shared](const Args& args, const Ack& ack) {
      const auto rooms = allowed_rooms(args, *shared);
      if (!rooms) return ack(Object{{"error", rooms.error()}});
      for (const std::string& room : *rooms) socket.leave(room);
      ack(answer(*rooms));
    });
  });
}

}  // namespace carillon::app
