#include "api/batch.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "api/api.hpp"
#include "api/json_members.hpp"
#include "base/json.hpp"

namespace carillon::api {
namespace {

Error invalid(std::string message) { return {400, "invalid_body", std::move(message)}; }

// The elements of an array as they stand in its text.
std::vector<std::string_view> elements(std::string_view array) {
  std::vector<std::string_view> found;
  std::string_view rest = trim_json(array.substr(1, array.size() - 2));
  while (!rest.empty()) {
    const std::size_t size = skip_json_value(rest);
    found.push_back(trim_json(rest.substr(0, size)));
    rest = trim_json(rest.substr(size));
    if (rest.starts_with(',')) rest = trim_json(rest.substr(1));
  }
  return found;
}

BatchItem parse_item(std::string_view text) {
  BatchItem item;
  if (kind_of(text) != JsonKind::object) {
    item.error = invalid(fmt::format("expected an object, got {}", describe(kind_of(text))));
    return item;
  }
  bool has_op = false;
  item.body = "{";
  for (const JsonMember& member : json_members(text)) {
    if (member.name == "op" && !std::exchange(has_op, true)) {
      const auto value = parse_json(member.text);
      if (value && value->as_string() != nullptr) item.op = *value->as_string();
      continue;
    }
    if (item.body.size() > 1) item.body += ',';
    append_json_string(item.body, member.name);
    item.body += ':';
    item.body += member.text;
  }
  item.body += '}';
  if (item.op != "notify" && item.op != "emit") item.error = invalid("op: expected \"notify\" or \"emit\"");
  return item;
}

// The answers as they come in, for an answer to the whole when the last is there.
class Batch {
 public:
  Batch(std::size_t items, http::Route::Respond respond)
      : results_(items), open_(items), respond_(std::move(respond)) {}

  void set(std::size_t place, const http::Response& response) {
    results_[place] = fmt::format(R"({{"status":{})", response.status);
    if (http::find_header(response.headers, "idempotent-replayed")) results_[place] += R"(,"replayed":true)";
    const std::string_view members = trim_json(response.body).substr(1);  // of an object
    results_[place] += members == "}" ? members : "," + std::string(members);
    if (--open_ > 0) return;
    std::string body = R"({"results":[)";
    for (const std::string& result : results_) body += (&result == &results_.front() ? "" : ",") + result;
    respond_(json_response(200, body + "]}"));
  }

 private:
  std::vector<std::string> results_;
  std::size_t open_;
  http::Route::Respond respond_;
};

}  // namespace

Result<std::vector<BatchItem>, Error> parse_batch(std::string_view body) {
  if (const auto valid = check_json(body); !valid)
    return Failure(
        invalid(fmt::format("the body is not JSON: {} at byte {}", valid.error().message, valid.error().offset)));
  const std::string_view object = trim_json(body);
  const auto members = kind_of(object) == JsonKind::object ? json_members(object) : std::vector<JsonMember>();
  if (members.size() != 1 || members[0].name != "items" || kind_of(members[0].text) != JsonKind::array)
    return Failure(invalid(R"(the body: expected {"items":[...]})"));
  const auto items = elements(members[0].text);
  if (items.empty() || items.size() > batch_items_max)
    return Failure(invalid(fmt::format("items: expected 1 to {}, got {}", batch_items_max, items.size())));
  std::vector<BatchItem> parsed;
  for (const std::string_view item : items) parsed.push_back(parse_item(item));
  return parsed;
}

void add_batch_route(http::Router& router, NotificationPort* notifications, socketio::BroadcastPort& sockets,
                     NotifyDefaults defaults) {
  http::Route route;
  route.method = "POST";
  route.path = "/v1/batch";
  route.refuse = refuse_unless_json;
  route.answer_later = [=, &sockets](const http::Request& request, std::string_view body,
                                     const http::Route::Respond& respond) {
    const auto items = parse_batch(body);
    if (!items) return respond(to_response(items.error()));
    const auto batch = std::make_shared<Batch>(items->size(), respond);
    for (std::size_t i = 0; i < items->size(); ++i) {
      const BatchItem& item = (*items)[i];
      const auto done = [batch, i](const http::Response& response) { batch->set(i, response); };
      if (!item.error.message.empty()) {
        done(to_response(item.error));
      } else if (item.op == "emit") {
        emit(sockets, item.body, done);
      } else if (notifications == nullptr) {
        done(error_response(501, "this node keeps no notifications"));
      } else {
        notify(*notifications, sockets, defaults, item.body, request.received_unix_ms, done);
      }
    }
  };
  router.add(std::move(route));
}

}  // namespace carillon::api
