// Who waits for the answer of which command.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.hpp"
#include "redis/link.hpp"
#include "redis/publish_queue.hpp"

namespace carillon::redis {

// Redis answers in order. Whoever waits is called once, never in the middle of what made the call fail. Owned by the
// backplane's shard.
class Calls {
 public:
  struct Request {
    std::vector<std::string> words;
    CommandDone done;
    bool asking = false;  // preceded by ASKING
  };

  // Requests wait until they can be sent.
  void ask(Request request) { asked_.push_back(std::move(request)); }
  bool has_asked() const { return !asked_.empty(); }
  // The next one, without its `done`: it is now on the way.
  Request send_next();
  std::size_t requests() const { return asked_.size() + requested_.size(); }

  // An XADD is on the way.
  void append(AppendDone done) { appended_.push_back(std::move(done)); }

  // Instead of append(), where messages may have to be sent elsewhere: any message is on the way.
  void keep(PublishQueue::Message message) { kept_.push_back(std::move(message)); }
  // The oldest of them, which has been answered.
  std::optional<PublishQueue::Message> take_kept();

  // Answers, in order. False: nobody has asked.
  bool on_reply(Reply& reply);
  void on_appended(std::optional<std::string_view> id);

  // It was dropped.
  void drop(AppendDone done);
  // The connection is gone.
  void lose();
  // Calls those whose commands have come to nothing. What that causes to fail waits for the next time.
  void tell_failed();
  bool has_failed() const { return !failed_.empty(); }

 private:
  void fail(CommandDone done, CommandError::Kind kind, std::string text);

  std::deque<Request> asked_;
  std::deque<CommandDone> requested_;
  std::deque<AppendDone> appended_;
  std::deque<PublishQueue::Message> kept_;
  std::vector<Task> failed_;
};

}  // namespace carillon::redis
