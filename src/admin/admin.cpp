#include "admin/admin.hpp"

#include <functional>
#include <string>
#include <utility>

#include <carillon/value.hpp>
#include <carillon/version.hpp>

#include "admin/metrics.hpp"

namespace carillon::admin {
namespace {

// The page talks to the listener for clients, which has another port: sockets may go to any host, nothing else may.
constexpr std::string_view content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
    "connect-src 'self' http: https: ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

http::Response answer(int status, std::string_view content_type, std::string body) {
  http::Response response;
  response.status = status;
  response.headers = {{"Content-Type", std::string(content_type)},
                      {"Cache-Control", "no-store"},
                      {"X-Content-Type-Options", "nosniff"}};
  response.body = std::move(body);
  return response;
}

http::Response readyz(const ReadinessSource& source) {
  const Readiness readiness = source.readiness();
  if (readiness.ready) return answer(200, "application/json", to_json(Object{{"ready", true}}));
  const Object error{{"code", "not_ready"}, {"message", readiness.reason}};
  return answer(503, "application/json", to_json(Object{{"error", error}}));
}

http::Response info_json(const InfoSource& source) {
  const Info info = source.info();
  return answer(200, "application/json",
                to_json(Object{{"node", info.node},
                               {"version", version()},
                               {"clients", info.clients},
                               {"redis", info.redis},
                               {"keys", info.keys}}));
}

http::Response serve_file(const PageFile& file, const http::Request& request) {
  http::Response response;
  response.headers = {{"Content-Type", std::string(file.content_type)},
                      {"ETag", std::string(file.etag)},
                      {"Cache-Control", "no-cache"},
                      {"Content-Security-Policy", std::string(content_security_policy)},
                      {"X-Content-Type-Options", "nosniff"},
                      {"X-Frame-Options", "DENY"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cross-Origin-Resource-Policy", "same-origin"}};
  const auto known = request.header("if-none-match");
  const std::string weak = "W/" + std::string(file.etag);  // what a compressing proxy makes of it
  if (known && (*known == "*" || http::has_token(*known, file.etag) || http::has_token(*known, weak))) {
    response.status = 304;
  } else {
    response.body = file.content;
  }
  return response;
}

}  // namespace

void add_routes(http::Router& router, Sources sources, std::span<const PageFile> page) {
  const auto get = [&router](std::string path, bool open, std::function<http::Response(const http::Request&)> handler) {
    router.add({.method = "GET",
                .path = std::move(path),
                .open = open,
                .refuse = nullptr,
                .answer = [handler = std::move(handler)](const http::Request& request, std::string_view) {
                  return handler(request);
                }});
  };
  get("/healthz", true, [](const auto&) { return answer(200, "text/plain; charset=utf-8", "ok"); });
  get("/readyz", true, [&source = sources.readiness](const auto&) { return readyz(source); });
  get("/info.json", true, [&source = sources.info](const auto&) { return info_json(source); });
  get("/metrics", false, [&source = sources.metrics](const auto&) {
    return answer(200, metrics_content_type, metrics_text(source.collect()));
  });
  for (const PageFile& file : page) {
    get(std::string(file.path), true, [file](const http::Request& request) { return serve_file(file, request); });
  }
}

}  // namespace carillon::admin
