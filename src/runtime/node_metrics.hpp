// A node's numbers as metrics.
#pragma once

#include <vector>

#include "admin/ports.hpp"

namespace carillon::runtime {

class Node;

// Reads the counters of all shards; any thread.
class NodeMetrics final : public admin::MetricsSource {
 public:
  explicit NodeMetrics(const Node& node) : node_(node) {}
  std::vector<admin::Sample> collect() const override;

 private:
  const Node& node_;
};

}  // namespace carillon::runtime
