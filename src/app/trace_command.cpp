#include <fmt/format.h>

#include <cstdio>

#include "app/api_call.hpp"
#include "app/commands.hpp"
#include "base/json.hpp"
#include "base/log.hpp"

namespace carillon::app {
namespace {

std::string text_of(const Value& value, std::string_view name) {
  const Value* member = value.find(name);
  return member != nullptr && member->as_string() != nullptr ? *member->as_string() : std::string();
}

void print_step(const Value& step) {
  std::string line = fmt::format("  {}  {}", text_of(step, "at"), text_of(step, "step"));
  for (const char* name : {"device", "node", "socket"})
    if (const std::string text = text_of(step, name); !text.empty()) line += fmt::format("  {} {}", name, text);
  std::printf("%s\n", line.c_str());
}

void print_trace(const Value& trace) {
  std::printf("%s  %s\n", text_of(trace, "id").c_str(), text_of(trace, "event").c_str());
  const Value* recipients = trace.find("recipients");
  if (recipients == nullptr || recipients->as_array() == nullptr) return;
  for (const Value& recipient : *recipients->as_array()) {
    std::printf("%s  %s  %s\n", text_of(recipient, "user").c_str(), text_of(recipient, "position").c_str(),
                text_of(recipient, "state").c_str());
    const Value* steps = recipient.find("steps");
    if (steps == nullptr || steps->as_array() == nullptr) continue;
    for (const Value& step : *steps->as_array()) print_step(step);
  }
  const Value* total = trace.find("recipients_total");
  const std::size_t shown = recipients->as_array()->size();
  if (total != nullptr && total->as_int64() > static_cast<std::int64_t>(shown))
    std::printf("... and %lld more recipients\n",
                static_cast<long long>(total->as_int64()) - static_cast<long long>(shown));
}

}  // namespace

int trace(const TraceArguments& arguments) {
  configure_log(LogLevel::off, LogFormat::text);
  for (const char c : arguments.id) {
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) continue;
    complain("trace", "ID: expected the id of a notification, which is letters and digits");
    return 2;
  }
  const auto answer = call_api({arguments.api, "/v1/notifications/" + arguments.id, arguments.key});
  if (!answer) {
    complain("trace", answer.error());
    return 1;
  }
  const auto value = parse_json(*answer);
  if (arguments.json || !value) {
    std::printf("%s\n", answer->c_str());
  } else {
    print_trace(*value);
  }
  return 0;
}

}  // namespace carillon::app
