// Samples as the text that Prometheus reads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "admin/ports.hpp"

namespace carillon::admin {

inline constexpr std::string_view metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

// One family per name, in order of first appearance.
std::string metrics_text(const std::vector<Sample>& samples);

}  // namespace carillon::admin
