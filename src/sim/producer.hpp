// Who has something to say: asks a node, and asks again when it was not told that all is well.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/node.hpp"
#include "sim/world.hpp"

namespace carillon::sim {

class Producer {
 public:
  // A node that is alive, or null.
  using Pick = std::function<Node*()>;
  Producer(World& world, Pick pick) : world_(world), pick_(std::move(pick)) {}
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  // At some time in the phase of faults.
  void plan_all();

 private:
  struct Question;
  using QuestionPtr = std::shared_ptr<Question>;

  QuestionPtr make(std::size_t number);
  void ask(const QuestionPtr& question);
  void hear(const QuestionPtr& question, unsigned attempt, int status, const std::string& id);
  void ask_again(const QuestionPtr& question);

  World& world_;
  Pick pick_;
};

}  // namespace carillon::sim
