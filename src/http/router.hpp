// Chooses who answers a request: by path, then by method.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "http/exchange.hpp"

namespace carillon::http {

// One method of one path.
struct Route {
  std::string method;  // "GET" answers HEAD too, without the body
  std::string path;    // exact, or with segments that stand for any: "/v1/emit", "/v1/users/{id}"
  // To everybody: the router's guard is not asked.
  bool open = false;
  // Asked when the head has come in; an answer here refuses the request before its body is read.
  std::function<std::optional<Response>(const Request&)> refuse;
  std::function<Response(const Request&, std::string_view body)> answer = nullptr;
  // Instead of `answer`, for what takes time: `respond` may be called at once or later, on the router's shard, once. A
  // client that has gone meanwhile gets nothing. `respond` must not outlive the router.
  using Respond = std::function<void(Response)>;
  std::function<void(const Request&, std::string_view body, Respond respond)> answer_later = nullptr;
};

// The segment of the path of that index, decoded: 2 of "/v1/users/a%2Fb" is "a/b". Empty where there are fewer.
std::string path_segment(std::string_view path, std::size_t index);

// What a router needs from its listener.
struct RouterPolicy {
  // Asked first, for every path that is not open, existing or not; an answer refuses the request.
  std::function<std::optional<Response>(const Request&)> guard;
  // An error as this listener words it: 404 (unknown path) or 405 (known path, other method).
  std::function<Response(int status, std::string_view message)> error;
};

// Owned by one shard; routes are added before the first request.
class Router final : public Handler {
 public:
  explicit Router(RouterPolicy policy) : policy_(std::move(policy)) {}

  void add(Route route);

  bool on_request(Exchange& exchange, const Request& request) override;
  void on_body(Exchange& exchange, std::string_view body) override;
  void on_closed(Exchange& exchange) override;

 private:
  // A request whose body is still coming in.
  struct Pending {
    const Route* route;
    Request request;
  };

  const std::vector<Route>* find(std::string_view path) const;
  void answer_later(const Pending& pending, Exchange& exchange, std::string_view body);
  std::optional<Response> refusal(const std::vector<Route>* methods, const Route* route, const Request& request) const;

  RouterPolicy policy_;
  std::map<std::string, std::vector<Route>, std::less<>> paths_;
  std::map<std::string, std::vector<Route>, std::less<>> patterns_;  // paths with braces
  std::unordered_map<Exchange*, Pending> pending_;
  std::unordered_map<std::uint64_t, Exchange*> unanswered_;  // by ticket: an exchange may serve several requests
  std::uint64_t tickets_ = 0;
};

}  // namespace carillon::http
