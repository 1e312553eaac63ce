#include "inbox/wire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"

namespace carillon::inbox {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string quoted(const std::string& epoch, std::uint64_t number) {
  return quoted(to_string(Position{epoch, number}));
}

struct Step {
  UnixMs at;
  std::size_t place;
  std::string json;
};

std::string step_json(std::string_view name, UnixMs at, const std::string& more = {}) {
  return fmt::format(R"({{"step":"{}","at":"{}"{}}})", name, to_rfc3339(at), more);
}

std::string_view name_of(Ending ending) {
  switch (ending) {
    case Ending::none:
      return "accepted";
    case Ending::expired:
      return "expired";
    case Ending::collapsed:
      return "collapsed";
    case Ending::dropped:
      return "dropped";
  }
  return "unknown";
}

// The furthest that it has come with any device; else why it is gone.
std::string_view state_of(const RecipientTrace& recipient) {
  if (std::ranges::any_of(recipient.receipts, &Receipt::acknowledged)) return "acknowledged";
  return recipient.receipts.empty() ? name_of(recipient.ending) : "delivered";
}

std::string recipient_json(const Notification& notification, const RecipientTrace& recipient) {
  std::vector<Step> steps{{notification.sent_at, 0, step_json("accepted", notification.sent_at)}};
  for (const Receipt& receipt : recipient.receipts) {
    const std::string where = fmt::format(R"(,"device":{},"node":{},"socket":{})", quoted(receipt.device),
                                          quoted(receipt.node), quoted(receipt.socket));
    steps.push_back(
        {receipt.at, steps.size(), step_json(receipt.acknowledged ? "acknowledged" : "delivered", receipt.at, where)});
  }
  if (recipient.read_at != 0) steps.push_back({recipient.read_at, steps.size(), step_json("read", recipient.read_at)});
  if (recipient.ending != Ending::none)
    steps.push_back({recipient.ended_at, steps.size(), step_json(name_of(recipient.ending), recipient.ended_at)});
  // Of one moment in the order in which they stand here.
  std::ranges::sort(steps, {}, [](const Step& step) { return std::pair(step.at, step.place); });
  std::string list;
  for (const Step& step : steps) list += (list.empty() ? "" : ",") + step.json;
  return fmt::format(R"({{"user":{},"position":{},"state":"{}","steps":[{}]}})", quoted(recipient.user),
                     quoted(to_string(recipient.position)), state_of(recipient), list);
}

}  // namespace

std::string to_rfc3339(UnixMs time) {
  using std::chrono::days;
  const std::chrono::sys_time<Milliseconds> at{Milliseconds(time)};
  const auto day = std::chrono::floor<days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(at - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::string event_arguments(const Notification& notification, const Position& position) {
  return fmt::format(R"({},{{"id":{},"position":{},"sent_at":"{}"}})", notification.data, quoted(notification.id),
                     quoted(to_string(position)), to_rfc3339(notification.sent_at));
}

std::string gap_arguments(const Gap& gap) {
  if (gap.reason == Gap::Reason::epoch) return fmt::format(R"({{"reason":"epoch","epoch":{}}})", quoted(gap.epoch));
  return fmt::format(R"({{"reason":"limit","from":{},"to":{}}})", quoted(gap.epoch, gap.from),
                     quoted(gap.epoch, gap.to));
}

std::string read_arguments(const ReadEvent& event) {
  std::string list;
  for (const std::uint64_t number : event.numbers) list += (list.empty() ? "" : ",") + quoted(event.epoch, number);
  return fmt::format(R"({{"positions":[{}],"up_to":{},"unread":{}}})", list,
                     event.upto > 0 ? quoted(event.epoch, event.upto) : "null", event.unread);
}

std::string page_json(const Page& page, std::uint64_t after, bool epoch_changed, const std::string& extra) {
  std::string items;
  for (const Entry& entry : page.entries) {
    const Notification& notification = *entry.notification;
    items +=
        fmt::format(R"({}{{"id":{},"event":{},"data":{},"position":{},"sent_at":"{}","read":{}}})",
                    items.empty() ? "" : ",", quoted(notification.id), quoted(notification.event), notification.data,
                    quoted(page.epoch, entry.number), to_rfc3339(notification.sent_at), entry.read);
  }
  std::string more = extra;
  if (epoch_changed) more += R"(,"epoch_changed":true)";
  if (page.dropped_to > after)
    more += fmt::format(R"(,"gap":{{"from":{},"to":{}}})", quoted(page.epoch, after + 1),
                        quoted(page.epoch, page.dropped_to));
  return fmt::format(R"({{"items":[{}],"next":{}{}}})", items,
                     page.upto < page.head ? quoted(page.epoch, page.upto) : "null", more);
}

std::string trace_json(const Trace& trace) {
  const Notification& notification = *trace.notification;
  std::string recipients;
  for (const RecipientTrace& recipient : trace.recipients)
    recipients += (recipients.empty() ? "" : ",") + recipient_json(notification, recipient);
  return fmt::format(
      R"({{"id":{},"event":{},"sent_at":"{}","expires_at":"{}","recipients_total":{},"recipients":[{}]}})",
      quoted(notification.id), quoted(notification.event), to_rfc3339(notification.sent_at),
      to_rfc3339(notification.expires_at), trace.recipients_total, recipients);
}

}  // namespace carillon::inbox
