#include "http/router.hpp"

#include <utility>

namespace carillon::http {
namespace {

const Route* find_route(const std::vector<Route>& methods, std::string_view method) {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  for (const Route& route : methods) {
    if (route.method == wanted) return &route;
  }
  return nullptr;
}

bool is_open(const std::vector<Route>& methods) {
  for (const Route& route : methods) {
    if (!route.open) return false;
  }
  return true;
}

std::string allowed(const std::vector<Route>& methods) {
  std::string list;
  for (const Route& route : methods) {
    if (!list.empty()) list += ", ";
    list += route.method;
    if (route.method == "GET") list += ", HEAD";
  }
  return list;
}

// Takes the first segment off a path that begins with a slash.
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

// An empty segment stands for nothing.
bool matches(std::string_view pattern, std::string_view path) {
  while (pattern.starts_with('/') && path.starts_with('/')) {
    const std::string_view wanted = take_segment(pattern);
    const std::string_view given = take_segment(path);
    if (wanted.starts_with('{') ? given.empty() : wanted != given) return false;
  }
  return pattern.empty() && path.empty();
}

void respond(Exchange& exchange, const Request& request, Response response) {
  response.omit_body = request.method == "HEAD";
  exchange.respond(std::move(response));
}

}  // namespace

std::string path_segment(std::string_view path, std::size_t index) {
  std::string_view segment;
  for (std::size_t i = 0; i <= index; ++i) {
    if (!path.starts_with('/')) return {};
    segment = take_segment(path);
  }
  return percent_decode(segment, false);
}

void Router::add(Route route) {
  auto& methods = (route.path.contains('{') ? patterns_ : paths_)[route.path];
  methods.push_back(std::move(route));
}

const std::vector<Route>* Router::find(std::string_view path) const {
  if (const auto exact = paths_.find(path); exact != paths_.end()) return &exact->second;
  for (const auto& [pattern, methods] : patterns_)
    if (matches(pattern, path)) return &methods;
  return nullptr;
}

bool Router::on_request(Exchange& exchange, const Request& request) {
  const auto* methods = find(request.path());
  const Route* route = methods != nullptr ? find_route(*methods, request.method) : nullptr;
  if (auto refused = refusal(methods, route, request)) {
    respond(exchange, request, std::move(*refused));
    return false;
  }
  pending_.insert_or_assign(&exchange, Pending{route, request});
  return true;
}

std::optional<Response> Router::refusal(const std::vector<Route>* methods, const Route* route,
                                        const Request& request) const {
  const bool open = route != nullptr ? route->open : methods != nullptr && is_open(*methods);
  if (!open && policy_.guard) {
    if (auto refused = policy_.guard(request)) return refused;
  }
  if (methods == nullptr) {
    return policy_.error(404, "there is nothing at this path");
  }
  if (route == nullptr) {
    const std::string allow = allowed(*methods);
    auto refused = policy_.error(405, "this path does not take that method, but " + allow);
    refused.headers.emplace_back("Allow", allow);
    return refused;
  }
  return route->refuse ? route->refuse(request) : std::nullopt;
}

void Router::on_body(Exchange& exchange, std::string_view body) {
  const auto node = pending_.extract(&exchange);
  if (node.empty()) return;
  const auto& [route, request] = node.mapped();
  if (route->answer_later) return answer_later(node.mapped(), exchange, body);
  respond(exchange, request, route->answer(request, body));
}

void Router::answer_later(const Pending& pending, Exchange& exchange, std::string_view body) {
  const std::uint64_t ticket = ++tickets_;
  unanswered_.emplace(ticket, &exchange);
  pending.route->answer_later(pending.request, body, [this, ticket](Response response) {
    const auto node = unanswered_.extract(ticket);
    if (!node.empty()) node.mapped()->respond(std::move(response));
  });
}

void Router::on_closed(Exchange& exchange) {
  pending_.erase(&exchange);
  std::erase_if(unanswered_, [&](const auto& entry) { return entry.second == &exchange; });
}

}  // namespace carillon::http
