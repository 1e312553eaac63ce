#include <curl/curl.h>
#include <fmt/format.h>

#include <memory>
#include <stdexcept>

#include <carillon/emitter.hpp>

#include "api/emit_request.hpp"
#include "api/json_members.hpp"
#include "app/adapter_names.hpp"
#include "app/commands.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "redis/url.hpp"

namespace carillon::app {
namespace {

constexpr std::chrono::seconds redis_timeout{5};
constexpr long connect_timeout_s = 5;
constexpr long answer_timeout_s = 30;
constexpr std::size_t answer_bytes_max = 64 * 1024;

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

std::size_t keep_answer(char* bytes, std::size_t size, std::size_t count, void* answer) {
  auto& text = *static_cast<std::string*>(answer);
  if (text.size() + size * count <= answer_bytes_max) text.append(bytes, size * count);
  return size * count;
}

// What the API says about a refusal, or as much as can be said without it.
std::string refusal(long status, const std::string& answer) {
  const auto value = parse_json(answer);
  const Value* error = value ? value->find("error") : nullptr;
  const Value* message = error != nullptr ? error->find("message") : nullptr;
  const std::string* text = message != nullptr ? message->as_string() : nullptr;
  return text != nullptr ? fmt::format("{} ({})", *text, status) : fmt::format("the answer was status {}", status);
}

int emit_through_api(const EmitArguments& arguments, const std::string& body) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  if (!curl) return fail("libcurl could not be started");
  std::string url = arguments.api;
  while (url.ends_with('/')) url.pop_back();
  url += "/v1/emit";

  curl_slist* lines = curl_slist_append(nullptr, "Content-Type: application/json");
  if (!arguments.key.empty()) lines = curl_slist_append(lines, ("Authorization: Bearer " + arguments.key).c_str());
  lines = curl_slist_append(lines, "Expect:");
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(lines, curl_slist_free_all);

  std::string answer;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, connect_timeout_s);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, answer_timeout_s);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, keep_answer);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
  if (const CURLcode code = curl_easy_perform(curl.get()); code != CURLE_OK) {
    return fail(fmt::format("{}: no answer: {}", arguments.api, curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return status >= 200 && status < 300 ? 0 : fail(fmt::format("{}: {}", arguments.api, refusal(status, answer)));
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
