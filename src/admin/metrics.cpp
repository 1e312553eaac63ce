#include "admin/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>

namespace carillon::admin {
namespace {

prometheus::MetricType to_prometheus(Sample::Type type) {
  switch (type) {
    case Sample::Type::counter:
      return prometheus::MetricType::Counter;
    case Sample::Type::gauge:
      return prometheus::MetricType::Gauge;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric to_prometheus(const Sample& sample) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
  if (sample.type == Sample::Type::counter) {
    metric.counter.value = sample.value;
  } else {
    metric.gauge.value = sample.value;
  }
  return metric;
}

}  // namespace

std::string metrics_text(const std::vector<Sample>& samples) {
  std::vector<prometheus::MetricFamily> families;
  for (const Sample& sample : samples) {
    auto family = std::find_if(families.begin(), families.end(),
                               [&](const prometheus::MetricFamily& known) { return known.name == sample.name; });
    if (family == families.end()) {
      family = families.insert(families.end(), {sample.name, sample.help, to_prometheus(sample.type), {}});
    }
    family->metric.push_back(to_prometheus(sample));
  }
  return prometheus::TextSerializer().prometheus::Serializer::Serialize(families);
}

}  // namespace carillon::admin
