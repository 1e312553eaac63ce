#include "app/api_call.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <memory>

#include <carillon/value.hpp>

#include "base/json.hpp"

namespace carillon::app {
namespace {

constexpr long connect_timeout_s = 5;
constexpr long answer_timeout_s = 30;
constexpr std::size_t answer_bytes_max = 16 * 1024 * 1024;

std::size_t keep_answer(char* bytes, std::size_t size, std::size_t count, void* answer) {
  auto& text = *static_cast<std::string*>(answer);
  if (text.size() + size * count > answer_bytes_max) return 0;  // which ends the call with an error
  text.append(bytes, size * count);
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

}  // namespace

Result<std::string, std::string> call_api(const ApiCall& call) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  if (!curl) return Failure("libcurl could not be started");
  std::string url = call.api;
  while (url.ends_with('/')) url.pop_back();
  url += call.path;

  curl_slist* lines = curl_slist_append(nullptr, "Content-Type: application/json");
  if (!call.key.empty()) lines = curl_slist_append(lines, ("Authorization: Bearer " + call.key).c_str());
  lines = curl_slist_append(lines, "Expect:");
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(lines, curl_slist_free_all);

  std::string answer;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  if (!call.body.empty()) {
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, call.body.data());
  }
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, connect_timeout_s);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, answer_timeout_s);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, keep_answer);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
  if (const CURLcode code = curl_easy_perform(curl.get()); code != CURLE_OK) {
    return Failure(fmt::format("{}: no answer: {}", call.api, curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status < 200 || status >= 300) return Failure(fmt::format("{}: {}", call.api, refusal(status, answer)));
  return answer;
}

}  // namespace carillon::app
