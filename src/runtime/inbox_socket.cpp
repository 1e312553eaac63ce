#include "runtime/inbox_socket.hpp"

#include <optional>
#include <utility>
#include <vector>

#include "inbox/page_reader.hpp"
#include "inbox/wire.hpp"
#include "io/loop.hpp"

namespace carillon::runtime {
namespace {

constexpr std::size_t marked_positions_max = 1'000;

void refuse(const Ack& ack, std::string_view why) { ack(Object{{"error", std::string(why)}}); }

// The only argument: an object with no other member than these, or nothing at all.
std::optional<Object> question_in(const Args& args, std::initializer_list<std::string_view> members) {
  if (args.empty()) return Object{};
  const Object* given = args[0].as_object();
  if (given == nullptr) return std::nullopt;
  for (const auto& [name, value] : *given)
    if (std::ranges::find(members, name) == members.end()) return std::nullopt;
  return *given;
}

std::optional<inbox::Position> position_in(const Value& value) {
  return value.as_string() != nullptr ? inbox::parse_position(*value.as_string()) : std::nullopt;
}

// {"positions":[...]} or {"up_to":...}, all of one epoch.
std::optional<inbox::ReadMarks> marks_in(const Object& asked) {
  inbox::ReadMarks marks;
  const auto take = [&](const Value& value) {
    auto position = position_in(value);
    if (!position || (!marks.epoch.empty() && marks.epoch != position->epoch)) return std::uint64_t{0};
    marks.epoch = std::move(position->epoch);
    return position->number;
  };
  if (const Value* upto = asked.find("up_to")) {
    marks.upto = take(*upto);
    if (marks.upto == 0) return std::nullopt;
  }
  if (const Value* positions = asked.find("positions")) {
    if (positions->as_array() == nullptr || positions->as_array()->size() > marked_positions_max) return std::nullopt;
    for (const Value& value : *positions->as_array()) {
      const std::uint64_t number = take(value);
      if (number == 0) return std::nullopt;
      marks.numbers.push_back(number);
    }
  }
  return marks.epoch.empty() ? std::nullopt : std::optional(std::move(marks));
}

}  // namespace

InboxSocket::InboxSocket(ShardInbox& inbox, socketio::SocketCore& socket, NotifiedDevice device)
    : inbox_(inbox),
      socket_(socket),
      recipient_(
          inbox.deliverer().add({socket.identity(), std::move(device.name), socket.id(), device.acknowledges}, *this)) {
  socket_.face().on("inbox:fetch", [this](const Args& args, const Ack& ack) { on_fetch(args, ack); });
  socket_.face().on("inbox:read", [this](const Args& args, const Ack& ack) { on_read(args, ack); });
}

InboxSocket::~InboxSocket() { inbox_.deliverer().remove(*recipient_); }

// --- to the client ---

// Recovery does not keep notifications: the inbox itself sends again what was not proven.
void InboxSocket::send(const inbox::Notification& notification, const inbox::Position& position) {
  const std::string text = inbox::event_arguments(notification, position);
  const Args args = Args::borrow(text);
  if (!recipient_->identity().acknowledges) return socket_.emit_unkept(notification.event, args);
  const auto acknowledged = [weak = std::weak_ptr(recipient_), position](const AckResult& result) {
    if (const auto recipient = weak.lock(); recipient && result) recipient->on_acknowledged(position);
  };
  socket_.emit_with_ack(notification.event, args, acknowledged, Milliseconds(0));
}

void InboxSocket::tell(std::string_view event, const std::string& arguments) {
  socket_.emit_unkept(event, Args::borrow(arguments));
}

void InboxSocket::tell_gap(const inbox::Gap& gap) { tell("inbox:gap", inbox::gap_arguments(gap)); }

void InboxSocket::tell_read(const inbox::ReadEvent& event) { tell("inbox:read", inbox::read_arguments(event)); }

// --- the inbox screen ---

// Each may cost the store a page of a megabyte: one client's are not to fill its queue and the memory.
std::shared_ptr<const void> InboxSocket::begin_question(const Ack& ack) {
  const auto under_way = static_cast<std::size_t>(questions_.use_count() - 1);
  if (under_way < inbox_.questions_per_socket_max()) return questions_;
  inbox_.note_refused_question();
  refuse(ack, "too many questions at once: wait for the answers");
  return nullptr;
}

void InboxSocket::on_fetch(const Args& args, const Ack& ack) {
  const auto asked = question_in(args, {"after", "limit"});
  if (!asked) return refuse(ack, "inbox:fetch takes an object with `after` and `limit`, or nothing");
  inbox::PageRequest request{.user = socket_.identity(), .after = {}, .now = io::Loop::unix_now()};
  if (const Value* after = asked->find("after"); after != nullptr && !after->is_null()) {
    request.after = position_in(*after);
    if (!request.after) return refuse(ack, "`after` should be a position");
  }
  if (const Value* limit = asked->find("limit")) {
    const std::int64_t entries = limit->as_int64();
    if (entries < 1 || entries > static_cast<std::int64_t>(inbox::page_entries_max))
      return refuse(ack, "`limit` should be a number from 1 to " + std::to_string(inbox::page_entries_max));
    request.entries_max = static_cast<std::size_t>(entries);
  }
  const auto question = begin_question(ack);
  if (!question) return;
  inbox::read_page(inbox_.store(), std::move(request),
                   [ack, question](const Result<std::string, inbox::StoreError>& page) {
                     if (!page) return refuse(ack, to_string(page.error()));
                     ack(Args::borrow(*page));
                   });
}

void InboxSocket::on_read(const Args& args, const Ack& ack) {
  const auto asked = question_in(args, {"positions", "up_to"});
  auto marks = asked ? marks_in(*asked) : std::nullopt;
  if (!marks) return refuse(ack, "inbox:read takes {positions: [up to 1000 of one epoch]} or {up_to: a position}");
  const auto question = begin_question(ack);
  if (!question) return;
  marks->user = socket_.identity();
  marks->at = io::Loop::unix_now();
  inbox::ReadEvent event{marks->user, marks->epoch, marks->numbers, marks->upto, 0, socket_.id()};
  inbox_.store().mark_read(std::move(*marks), [&owner = inbox_.inbox(), event = std::move(event), ack, question](
                                                  const Result<inbox::UserSummary, inbox::StoreError>& result) mutable {
    if (!result) return refuse(ack, to_string(result.error()));
    ack(Object{{"unread", result->unread}});
    if (result->epoch != event.epoch) return;  // nothing was marked
    event.unread = result->unread;
    owner.tell_read(std::move(event));
  });
}

}  // namespace carillon::runtime
