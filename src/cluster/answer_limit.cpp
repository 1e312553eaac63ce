#include "cluster/answer_limit.hpp"

#include <utility>

#include "base/json.hpp"

namespace carillon::cluster {

Object limited_answer(std::string name, Array items, std::size_t bytes_max) {
  std::size_t fitting = 0;
  for (std::size_t left = bytes_max; fitting < items.size(); ++fitting) {
    const std::size_t bytes = to_json(items[fitting]).size() + 1;
    if (bytes > left) break;
    left -= bytes;
  }
  const std::size_t left_out = items.size() - fitting;
  items.resize(fitting);
  Object answer{{std::move(name), std::move(items)}};
  if (left_out > 0) answer.append(std::string(left_out_member), left_out);
  return answer;
}

}  // namespace carillon::cluster
