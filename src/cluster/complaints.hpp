// Messages that make no sense: counted, and said once per kind.
#pragma once

#include <string_view>

#include "cluster/statistics.hpp"

namespace carillon::cluster {

// Owned by the backplane's shard.
class Complaints {
 public:
  explicit Complaints(Statistics& statistics) : statistics_(statistics) {}
  // `place`: the channel or stream that it came from.
  void reject(Malformed kind, std::string_view place);
  // An answer of this server about the namespace had to leave something out.
  void cut_answer(std::string_view name_space);

 private:
  Statistics& statistics_;
  unsigned told_ = 0;  // kinds that have been logged
  bool told_cut_ = false;
};

}  // namespace carillon::cluster
