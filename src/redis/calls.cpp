#include "redis/calls.hpp"

#include <utility>

namespace carillon::redis {

Calls::Request Calls::send_next() {
  Request request = std::move(asked_.front());
  asked_.pop_front();
  requested_.push_back(std::move(request.done));
  return request;
}

bool Calls::on_reply(Reply& reply) {
  if (requested_.empty()) return false;
  CommandDone done = std::move(requested_.front());
  requested_.pop_front();
  if (!done) return true;
  if (reply.type == Reply::Type::error) {
    done(Failure(CommandError{CommandError::Kind::refused, std::move(reply.text)}));
  } else {
    done(std::move(reply));
  }
  return true;
}

void Calls::on_appended(std::optional<std::string_view> id) {
  if (appended_.empty()) return;
  AppendDone done = std::move(appended_.front());
  appended_.pop_front();
  if (done) done(id);
}

std::optional<PublishQueue::Message> Calls::take_kept() {
  if (kept_.empty()) return std::nullopt;
  PublishQueue::Message message = std::move(kept_.front());
  kept_.pop_front();
  return message;
}

void Calls::drop(AppendDone done) {
  if (done) failed_.emplace_back([done = std::move(done)]() mutable { done(std::nullopt); });
}

void Calls::lose() {
  for (CommandDone& done : std::exchange(requested_, {}))
    fail(std::move(done), CommandError::Kind::lost, "the connection to Redis broke before it answered");
  for (Request& request : std::exchange(asked_, {}))
    fail(std::move(request.done), CommandError::Kind::unavailable, "Redis is away");
  for (AppendDone& done : std::exchange(appended_, {})) drop(std::move(done));
  for (PublishQueue::Message& message : std::exchange(kept_, {})) drop(std::move(message.done));
}

void Calls::fail(CommandDone done, CommandError::Kind kind, std::string text) {
  if (!done) return;
  failed_.emplace_back([done = std::move(done), error = CommandError{kind, std::move(text)}]() mutable {
    done(Failure(std::move(error)));
  });
}

void Calls::tell_failed() {
  for (Task& task : std::exchange(failed_, {})) task();
}

}  // namespace carillon::redis
