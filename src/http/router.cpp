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

void respond(Exchange& exchange, const Request& request, Response response) {
  response.omit_body = request.method == "HEAD";
  exchange.respond(std::move(response));
}

}  // namespace

void Router::add(Route route) {
  auto& methods = paths_[route.path];
  methods.push_back(std::move(route));
}

bool Router::on_request(Exchange& exchange, const Request& request) {
  const auto found = paths_.find(request.path());
  const auto* methods = found != paths_.end() ? &found->second : nullptr;
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
