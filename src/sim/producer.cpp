#include "sim/producer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace carillon::sim {
namespace {

constexpr unsigned attempts_max = 8;
constexpr Milliseconds patience{10'000};  // for an answer
constexpr Milliseconds pause_max{2'000};  // before another attempt
constexpr Milliseconds short_ttl_min{200};
constexpr Milliseconds short_ttl_max{20'000};
constexpr Milliseconds long_ttl{3'600'000};  // longer than any run
constexpr std::uint64_t data_bytes_max = 400;

}  // namespace

struct Producer::Question {
  std::size_t number = 0;
  Node::Request request{};
  unsigned attempts = 0;
  bool done = false;
};

void Producer::plan_all() {
  for (std::size_t i = 0; i < world_.plan.notifications; ++i) {
    // Some come in bursts.
    Milliseconds when = world_.prng.between(Milliseconds(0), world_.plan.faults_for);
    if (world_.prng.chance(300)) when -= Milliseconds(when.count() % 2'000);
    world_.scheduler.after(when, [this, question = make(i)] { ask(question); });
  }
}

Producer::QuestionPtr Producer::make(std::size_t number) {
  const Plan& plan = world_.plan;
  Prng& prng = world_.prng;
  auto question = std::make_shared<Question>();
  question->number = number;
  Node::Request& request = question->request;
  for (std::size_t user = 0; user < plan.users; ++user)
    if (prng.chance(400)) request.users.push_back("u" + std::to_string(user));
  if (request.users.empty()) request.users.push_back("u" + std::to_string(prng.below(plan.users)));
  request.data = std::string(prng.between(std::uint64_t{1}, data_bytes_max), '1');
  if (prng.chance(plan.collapse_pm)) request.collapse_key = "c" + std::to_string(prng.below(3));
  if (prng.chance(plan.key_pm)) {
    request.key = "k" + std::to_string(number);
    request.fingerprint = "r" + std::to_string(number);
  }
  request.ttl = prng.chance(plan.short_ttl_pm) ? prng.between(short_ttl_min, short_ttl_max) : long_ttl;
  return question;
}

void Producer::ask(const QuestionPtr& question) {
  const unsigned attempt = ++question->attempts;
  Node* const node = pick_();
  if (node == nullptr) return ask_again(question);
  Node::Request request = question->request;
  request.id = fmt::format("n{}.{}", question->number, attempt);
  if (attempt > 1 && world_.has_bug(Canary::once)) request.key.clear();
  world_.scheduler.after(world_.delay(), [this, node, request, question, attempt] {
    node->notify(request, [this, question, attempt](int status, const std::string& id) {
      world_.scheduler.after(world_.delay(),
                             [this, question, attempt, status, id] { hear(question, attempt, status, id); });
    });
  });
  world_.scheduler.after(patience, [this, question, attempt] {
    if (!question->done && question->attempts == attempt) ask_again(question);
  });
}

void Producer::hear(const QuestionPtr& question, unsigned attempt, int status, const std::string& id) {
  world_.trace.line("producer: n{}.{} is answered {} {}", question->number, attempt, status, id);
  if (status == 202) {
    question->done = true;
    return world_.history.on_told_accepted(id);
  }
  if (!question->done && question->attempts == attempt) ask_again(question);
}

// Without a key a repeat would be another notification: then it is the producer's affair whether it asks again.
void Producer::ask_again(const QuestionPtr& question) {
  if (question->request.key.empty() || question->attempts >= attempts_max) return;
  world_.scheduler.after(world_.prng.between(Milliseconds(1), pause_max),
                         [this, question, attempt = question->attempts] {
                           if (!question->done && question->attempts == attempt) ask(question);
                         });
}

}  // namespace carillon::sim
