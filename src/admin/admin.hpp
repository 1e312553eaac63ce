// Health, metrics and the page, as routes of the listener's router.
#pragma once

#include <span>

#include "admin/page_file.hpp"
#include "admin/ports.hpp"
#include "http/router.hpp"

namespace carillon::admin {

// Sources outlive the router.
struct Sources {
  const MetricsSource& metrics;
  const ReadinessSource& readiness;
  const InfoSource& info;
};

// Open to everybody: /healthz, /readyz, /info.json and the files of the page. Behind the router's guard: /metrics.
void add_routes(http::Router& router, Sources sources, std::span<const PageFile> page);

}  // namespace carillon::admin
