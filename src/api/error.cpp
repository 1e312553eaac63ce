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
    case 415:
      return "unsupported_media_type";
    case 431:
      return "headers_too_large";
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

http::Response error_response(http::ParseError error) {
  const auto message = [error]() -> std::string_view {
    switch (error) {
      case http::ParseError::malformed:
        return "this is not an HTTP/1.1 request";
      case http::ParseError::header_too_large:
        return "the header is too large, or has too many lines";
      case http::ParseError::body_too_large:
        return "the body is too large";
      case http::ParseError::unsupported:
        return "of the transfer encodings only chunked is understood";
    }
    return "this is not an HTTP/1.1 request";
  };
  auto response = error_response(http::status_of(error), message());
  response.close = true;
  return response;
}

http::Response timeout_response() {
  auto response = error_response(408, "the request did not arrive in time");
  response.close = true;
  return response;
}

}  // namespace carillon::api
