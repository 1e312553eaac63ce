#include "api/queries.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/error.hpp"
#include "api/without_binary.hpp"
#include "base/result.hpp"
#include "base/utf8.hpp"

namespace carillon::api {
namespace {

enum class View { count, ids, full };

struct Query {
  std::string name_space = "/";
  std::vector<std::string> rooms;
  View view = View::count;
  std::size_t limit = page_entries_default;
  std::optional<std::string> after;
  bool local = false;
};

Failure<Error> invalid(std::string message) { return Failure(Error{400, "invalid_query", std::move(message)}); }

Result<void, Error> read_parameter(const std::string& name, const std::string& value, bool takes_rooms, Query& query) {
  if (!is_utf8(value)) return invalid("query: '" + name + "' must be UTF-8");
  if (name == "namespace") {
    query.name_space = value.starts_with('/') ? value : "/" + value;
  } else if (name == "room" && takes_rooms) {
    query.rooms.push_back(value);
  } else if (name == "view") {
    if (value != "count" && value != "ids" && value != "full")
      return invalid("query: 'view' must be count, ids or full");
    query.view = value == "count" ? View::count : value == "ids" ? View::ids : View::full;
  } else if (name == "limit") {
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), query.limit);
    if (error != std::errc() || end != value.data() + value.size() || query.limit < 1 || query.limit > page_entries_max)
      return invalid("query: 'limit' must be a number from 1 to " + std::to_string(page_entries_max));
  } else if (name == "after") {
    query.after = value;
  } else if (name == "local") {
    if (value != "true" && value != "false") return invalid("query: 'local' must be true or false");
    query.local = value == "true";
  } else {
    return invalid("query: unknown parameter '" + name + "'");
  }
  return {};
}

// Parameters may be repeated: those of `room` are a list.
Result<Query, Error> read_query(const http::Request& request, bool takes_rooms) {
  Query query;
  std::string_view rest = request.query();
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string value = http::percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    const auto read = read_parameter(http::percent_decode(pair.substr(0, equals), true), value, takes_rooms, query);
    if (!read) return Failure(read.error());
  }
  return query;
}

std::shared_ptr<socketio::Operation> make_operation(socketio::Operation::Kind kind, const Query& query) {
  auto operation = std::make_shared<socketio::Operation>();
  operation->kind = kind;
  operation->selection.name_space = query.name_space;
  operation->selection.rooms = query.rooms;
  operation->selection.flags.local = query.local;
  return operation;
}

// One page of entries that are sorted by name; `entry` makes what is shown of one.
template <class Entry>
http::Response page(std::string_view member, const std::vector<std::string>& names, const Query& query,
                    std::size_t missing_servers, Entry entry) {
  Object answer{{"total", names.size()}};
  if (query.view != View::count) {
    const auto first = query.after ? std::upper_bound(names.begin(), names.end(), *query.after) : names.begin();
    const auto size = std::min<std::size_t>(query.limit, static_cast<std::size_t>(names.end() - first));
    const auto last = first + static_cast<std::ptrdiff_t>(size);
    Array entries;
    for (auto name = first; name != last; ++name) entries.push_back(entry(*name));
    answer.append(std::string(member), std::move(entries));
    answer.append("next", last == names.end() ? Value() : Value(*(last - 1)));
  }
  answer.append("missing_servers", missing_servers);
  return json_response(200, to_json(answer));
}

void sort_unique(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

Value socket_entry(const RemoteSocket& socket) {
  Array rooms;
  for (const std::string& room : socket.rooms()) rooms.emplace_back(room);
  return Object{{"id", socket.id()},
                {"rooms", std::move(rooms)},
                {"data", without_binary(socket.data())},
                {"address", socket.handshake().address()},
                {"connected_unix_ms", socket.handshake().issued_unix_ms()}};
}

http::Response sockets_response(const socketio::OperationResult& result, const Query& query) {
  std::map<std::string_view, const RemoteSocket*> by_id;
  std::vector<std::string> ids;
  for (const RemoteSocket& socket : result.sockets)
    if (by_id.emplace(socket.id(), &socket).second) ids.push_back(socket.id());
  std::sort(ids.begin(), ids.end());
  return page("sockets", ids, query, result.missing_servers, [&](const std::string& id) -> Value {
    return query.view == View::full ? socket_entry(*by_id.at(id)) : Value(id);
  });
}

// Full: with the number of sockets in each, which only the sockets can tell.
http::Response rooms_response(const socketio::OperationResult& result, const Query& query) {
  std::map<std::string, std::size_t, std::less<>> counts;
  for (const RemoteSocket& socket : result.sockets)
    for (const std::string& room : socket.rooms()) ++counts[room];
  std::vector<std::string> names = result.rooms;
  for (const auto& [room, count] : counts) names.push_back(room);
  sort_unique(names);
  return page("rooms", names, query, result.missing_servers, [&](const std::string& room) -> Value {
    return query.view == View::full ? Value(Object{{"room", room}, {"sockets", counts.at(room)}}) : Value(room);
  });
}

void answer_sockets(socketio::BroadcastPort& port, const http::Request& request, const http::Route::Respond& respond) {
  auto query = read_query(request, true);
  if (!query) return respond(to_response(query.error()));
  auto operation = make_operation(socketio::Operation::Kind::fetch, *query);
  port.operate(std::move(operation), [respond, query = *query](const socketio::OperationResult& result) {
    respond(sockets_response(result, query));
  });
}

void answer_rooms(socketio::BroadcastPort& port, const http::Request& request, const http::Route::Respond& respond) {
  auto query = read_query(request, false);
  if (!query) return respond(to_response(query.error()));
  using enum socketio::Operation::Kind;
  auto operation = make_operation(query->view == View::full ? fetch : all_rooms, *query);
  port.operate(std::move(operation), [respond, query = *query](const socketio::OperationResult& result) {
    respond(rooms_response(result, query));
  });
}

void answer_nodes(socketio::BroadcastPort& port, ClusterPort& cluster, const http::Request& request,
                  const http::Route::Respond& respond) {
  if (!request.query().empty()) return respond(to_response({400, "invalid_query", "query: no parameters are known"}));
  cluster.list_nodes([&port, respond](const Array& nodes, std::size_t missing) {
    auto count = make_operation(socketio::Operation::Kind::server_count, {});
    port.operate(std::move(count), [respond, nodes, missing](const socketio::OperationResult& servers) {
      respond(json_response(200, to_json(Object{{"nodes", nodes}, {"missing", missing}, {"servers", servers.count}})));
    });
  });
}

}  // namespace

void add_query_routes(http::Router& router, socketio::BroadcastPort& port, ClusterPort& cluster) {
  const auto add = [&](std::string path, auto answer) {
    http::Route route;
    route.method = "GET";
    route.path = std::move(path);
    route.answer_later = [answer](const http::Request& request, std::string_view, const http::Route::Respond& respond) {
      answer(request, respond);
    };
    router.add(std::move(route));
  };
  add("/v1/nodes", [&port, &cluster](const http::Request& request, const http::Route::Respond& respond) {
    answer_nodes(port, cluster, request, respond);
  });
  add("/v1/rooms", [&port](const http::Request& request, const http::Route::Respond& respond) {
    answer_rooms(port, request, respond);
  });
  add("/v1/sockets", [&port](const http::Request& request, const http::Route::Respond& respond) {
    answer_sockets(port, request, respond);
  });
}

}  // namespace carillon::api
