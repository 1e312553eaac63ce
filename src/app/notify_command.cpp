#include <cstdio>

#include "api/notify_request.hpp"
#include "app/api_call.hpp"
#include "app/commands.hpp"
#include "base/json.hpp"
#include "base/log.hpp"

namespace carillon::app {
namespace {

// The body of POST /v1/notifications; the error is a sentence.
Result<std::string, std::string> request_body(const NotifyArguments& arguments) {
  if (const auto valid = check_json(arguments.data); !valid)
    return Failure("--data: expected JSON: " + std::string(valid.error().message) + " at byte " +
                   std::to_string(valid.error().offset));
  Object to;
  if (!arguments.users.empty()) to.append("users", Array(arguments.users.begin(), arguments.users.end()));
  if (!arguments.room.empty()) to.append("room", arguments.room);
  std::string body =
      "{\"to\":" + to_json(to) + ",\"event\":" + to_json(arguments.event) + ",\"data\":" + arguments.data;
  if (arguments.ttl_s > 0) body += ",\"ttl_s\":" + std::to_string(arguments.ttl_s);
  if (!arguments.idempotency_key.empty()) body += ",\"idempotency_key\":" + to_json(arguments.idempotency_key);
  if (!arguments.collapse_key.empty()) body += ",\"collapse_key\":" + to_json(arguments.collapse_key);
  body += "}";
  if (const auto request = api::parse_notify_request(body, {}); !request) return Failure(request.error().message);
  return body;
}

}  // namespace

int notify(const NotifyArguments& arguments) {
  configure_log(LogLevel::off, LogFormat::text);  // what went wrong is said once, by this command
  const auto body = request_body(arguments);
  if (!body) {
    complain("notify", body.error());
    return 2;
  }
  const auto answer = call_api({arguments.api, "/v1/notifications", arguments.key, *body});
  if (!answer) {
    complain("notify", answer.error());
    return 1;
  }
  std::printf("%s\n", answer->c_str());
  return 0;
}

}  // namespace carillon::app
