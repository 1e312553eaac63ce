// What the admin side asks of the node. Implemented by runtime/, app/ and tests; called on the shard of the API listener.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace carillon::admin {

// One value of a metric, at this moment.
struct Sample {
  enum class Type : std::uint8_t { counter, gauge };

  std::string name;  // "carillon_connections"; a counter's ends in "_total"
  std::string help;
  Type type = Type::gauge;
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
};

class MetricsSource {
 public:
  virtual ~MetricsSource() = default;
  // Samples of the same name have the same help and type.
  virtual std::vector<Sample> collect() const = 0;
};

struct Readiness {
  bool ready = true;
  std::string reason;  // why not, as a sentence for people: empty when ready
};

class ReadinessSource {
 public:
  virtual ~ReadinessSource() = default;
  // Whether this node should get traffic.
  virtual Readiness readiness() const = 0;
};

// Public facts about the node, for its page.
struct Info {
  std::string node;
  std::string clients;  // URL of the first listener for clients that has one, "http://127.0.0.1:3000"; else empty
  bool redis = false;   // a cluster is configured
  bool keys = false;    // calls to the API need a key
};

class InfoSource {
 public:
  virtual ~InfoSource() = default;
  virtual Info info() const = 0;
};

}  // namespace carillon::admin
