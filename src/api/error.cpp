#include "api/error.hpp"

#include <utility>

#include "base/json.hpp"

namespace carillon::api {
namespace {

std::string_view code_of(int status) {
  switch (status) {
    case 400:
      return "bad_request";
    case 401:
      return "unauthorized";
    case 403:
      return "forbidden";
    case 404:
      return "not_found";
    case 405:
      return "method_not_allowed";
    case 408:
      return "request_timeout";
    case 413:
      return "too_large";
    case 414:
      return "target_too_long";
    case 415:
      return "unsupported_media_type";
    case 431:
      return "headers_too_large";
    case 409:
      return "conflict";
    case 501:
      return "not_implemented";
    default:
      return "error";
  }
}

}  // namespace

http::Response json_response(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.headers = {
      {"Content-Type", "application/json"}, {"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}};
  response.body = std::move(body);
  return response;
}

http::Response to_response(const Error& error) {
  std::string body = R"({"error":{"code":)";
  append_json_string(body, error.code);
  body += R"(,"message":)";
  append_json_string(body, error.message);
  body += "}}";
  return json_response(error.status, std::move(body));
}

http::Response error_response(int status, std::string_view message) {
  return to_response({status, std::string(code_of(status)), std::string(message)});
}

http::Response listener_error(int status) {
  const auto message = [status]() -> std::string_view {
    switch (status) {
      case 400:
        return "this is not an HTTP/1.1 request";
      case 408:
        return "the request did not arrive in time";
      case 413:
        return "the body is too large";
      case 414:
        return "the request's target is too long";
      case 431:
        return "the header is too large, or has too many lines";
      case 501:
        return "of the transfer encodings only chunked is understood";
      default:
        return "the request cannot be read";
    }
  };
  auto response = error_response(status, message());
  response.close = true;
  return response;
}

}  // namespace carillon::api
