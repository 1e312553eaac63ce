#include "cluster/roster.hpp"

#include <memory>
#include <utility>

#include "base/json.hpp"
#include "cluster/operation_codec.hpp"

namespace carillon::cluster {
namespace {

constexpr std::size_t uid_length = 20;  // nobody but Redis' other users may guess where answers go

}  // namespace

Roster::Roster(redis::Link& link, Statistics& statistics, Random& random, Settings settings)
    : link_(link),
      random_(random),
      settings_(std::move(settings)),
      uid_(random_id(random, uid_length)),
      questions_(settings_.key + "-carillon#"),
      answers_(questions_ + uid_ + "#"),
      requests_(link, statistics, {settings_.timeout, settings_.timeout}),
      complaints_(statistics) {
  link_.subscribe(questions_, redis::ChannelKind::plain);
  link_.subscribe(answers_, redis::ChannelKind::plain);
}

void Roster::ask(Done done, TimePoint now) {
  std::string id = random_id(random_, uid_length);
  auto operation = std::make_shared<socketio::Operation>();
  operation->kind = socketio::Operation::Kind::server_side_emit;
  auto send = [this, id] { link_.publish(questions_, to_json(Object{{"ask", id}, {"from", uid_}})); };
  auto gathered = [own = settings_.facts(), done = std::move(done)](const socketio::OperationResult& result) {
    Nodes nodes{{own}, result.missing_servers};
    nodes.nodes.insert(nodes.nodes.end(), result.answers.begin(), result.answers.end());
    done(std::move(nodes));
  };
  requests_.ask({.id = id,
                 .channel = questions_,
                 .kind = redis::ChannelKind::plain,
                 .operation = std::move(operation),
                 .send = std::move(send),
                 .done = std::move(gathered)},
                now);
}

bool Roster::on_message(std::string_view channel, std::string_view payload) {
  if (channel != questions_ && channel != answers_) return false;
  const auto message = parse_json(payload);
  if (!message) {
    complaints_.reject(Malformed::not_json, channel);
  } else if (channel == answers_) {
    on_answer(*message, channel);
  } else {
    on_question(*message);
  }
  return true;
}

void Roster::on_question(const Value& message) {
  const auto id = text_member(message, "ask");
  const auto from = text_member(message, "from");
  if (!id || !from || from->empty()) return complaints_.reject(Malformed::bad_request, questions_);
  if (*from == uid_) return;
  link_.publish(questions_ + *from + "#",
                to_json(Object{{"answer", *id}, {"from", uid_}, {"node", settings_.facts()}}));
}

void Roster::on_answer(const Value& message, std::string_view channel) {
  const auto id = text_member(message, "answer");
  const Value* node = message.find("node");
  if (!id || node == nullptr || node->as_object() == nullptr)
    return complaints_.reject(Malformed::bad_request, channel);
  socketio::OperationResult part;
  part.answers.push_back(*node);
  requests_.answer(*id, text_member(message, "from").value_or(""), std::move(part));
}

}  // namespace carillon::cluster
