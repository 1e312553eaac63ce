// The rooms that clients may join by themselves: the events `subscribe` and `unsubscribe`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <carillon/server.hpp>

namespace carillon::app {

inline constexpr std::size_t subscription_rooms_max = 100;  // in one request
inline constexpr std::size_t room_bytes_max = 256;

// A pattern is a room's name in which `*` stands for any text, also none. A user's own room ("user:42") is joined by
// identity: only a pattern that begins with "user:" itself opens such rooms to others.
bool allows(const std::vector<std::string>& patterns, std::string_view room);

// Answers, on sockets of "/", `subscribe` (rooms, ack) and `unsubscribe` (rooms, ack), where rooms are a name or a list of
// names. The answer is {"rooms": [...]}, the rooms that the request has named, once all of them are effective in the
// whole cluster; or {"error": text}, and then nothing has changed. Before Server::start().
void serve_subscriptions(Server& server, std::vector<std::string> patterns);

}  // namespace carillon::app
