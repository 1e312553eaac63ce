// Parts of the table of settings.cpp that have a file of their own.
#pragma once

#include <vector>

#include "app/setting.hpp"

namespace carillon::app {

std::vector<Setting> cluster_settings();
std::vector<Setting> inbox_settings();
std::vector<Setting> limit_settings();

}  // namespace carillon::app
