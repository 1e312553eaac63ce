#include <fmt/format.h>

#include <stdexcept>

#include <carillon/emitter.hpp>

#include "api/emit_request.hpp"
#include "api/json_members.hpp"
#include "app/adapter_names.hpp"
#include "app/api_call.hpp"
#include "app/commands.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "redis/url.hpp"

namespace carillon::app {
namespace {

constexpr std::chrono::seconds redis_timeout{5};

void append_rooms(std::string& body, std::string_view field, const std::vector<std::string>& rooms) {
  if (rooms.empty()) return;
  body += fmt::format(",\"{}\":", field);
  body += to_json(Array(rooms.begin(), rooms.end()));
}

// The body of POST /v1/emit, which is also how an emit through Redis is checked. The error is a sentence.
Result<std::string, std::string> request_body(const EmitArguments& arguments) {
  if (const auto valid = check_json(arguments.args); !valid) {
    return Failure(fmt::format("--args: expected JSON: {} at byte {}", valid.error().message, valid.error().offset));
  }
  const bool is_array = api::kind_of(api::trim_json(arguments.args)) == api::JsonKind::array;
  std::string body = R"({"namespace":)" + to_json(arguments.name_space);
  append_rooms(body, "rooms", arguments.rooms);
  append_rooms(body, "except", arguments.except);
  body += R"(,"event":)" + to_json(arguments.event);
  body += R"(,"args":)" + (is_array ? arguments.args : "[" + arguments.args + "]") + "}";
  return body;
}

int fail(std::string_view sentence) {
  complain("emit", sentence);
  return 1;
}

int emit_through_redis(const EmitArguments& arguments, const std::string& body) {
  const auto request = api::parse_emit_request(body);
  if (!request) return fail(request.error().message);
  try {
    EmitterOptions options;
    options.kind = adapter_kind(arguments.adapter);
    options.mode = sharded_mode(arguments.mode);
    Emitter emitter(arguments.redis, options);
    emitter.of(request->name_space).to(request->rooms).except(request->except).emit(request->event, request->args);
    if (emitter.flush(redis_timeout)) return 0;
    // The endpoint and not the URL, which may hold a password.
    return fail(fmt::format("Redis at {} has not answered within {} s: is it running, and is --redis right?",
                            redis::endpoint(*redis::parse_url(arguments.redis)), redis_timeout.count()));
  } catch (const std::invalid_argument& error) {
    complain("emit", fmt::format("--redis: {}", error.what()));
    return 2;
  }
}

int emit_through_api(const EmitArguments& arguments, const std::string& body) {
  const auto answer = call_api({arguments.api, "/v1/emit", arguments.key, body});
  return answer ? 0 : fail(answer.error());
}

}  // namespace

int emit(const EmitArguments& arguments) {
  configure_log(LogLevel::off, LogFormat::text);  // what went wrong is said once, by this command
  const auto body = request_body(arguments);
  if (!body) {
    complain("emit", body.error());
    return 2;
  }
  return arguments.redis.empty() ? emit_through_api(arguments, *body) : emit_through_redis(arguments, *body);
}

}  // namespace carillon::app
