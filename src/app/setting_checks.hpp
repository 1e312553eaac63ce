// What a setting accepts. Each check says what is wrong with a value, or nothing; `expected` is the setting's own text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/setting.hpp"

namespace carillon::app {

Complaint mismatch(std::string_view expected, const SettingValue& value);
// Where the kind is wrong already: says it, and not the value, which may be secret and should not end up in a log.
Complaint mismatch_of_kind(std::string_view expected, const SettingValue& value);

Complaint check_endpoint(std::string_view expected, const std::string& given);
Complaint check_endpoints(std::string_view expected, const std::vector<std::string>& given);
Complaint check_networks(std::string_view expected, const std::vector<std::string>& given);
Complaint check_proxies(std::string_view expected, const std::vector<std::string>& given);
Complaint check_path(std::string_view expected, const std::string& given);
Complaint check_tls_version(std::string_view expected, const std::string& given);
Complaint check_origins(std::string_view expected, const std::vector<std::string>& given);
Complaint check_rooms(std::string_view expected, const std::vector<std::string>& given);
Complaint check_keys(std::string_view expected, const std::vector<std::string>& given);
Complaint check_redis_url(std::string_view expected, const std::string& given);
Complaint check_folder(std::string_view expected, const std::string& given);
Complaint check_optional_folder(std::string_view expected, const std::string& given);
Complaint check_url_path(std::string_view expected, const std::string& given);
Complaint check_token(std::string_view expected, const std::string& given);  // or nothing
Complaint check_tokens(std::string_view expected, const std::vector<std::string>& given);
Complaint check_domain(std::string_view expected, const std::string& given);  // or nothing
Complaint check_same_site(std::string_view expected, const std::string& given);
Complaint check_node_name(std::string_view expected, const std::string& given);
Complaint check_auth_mode(std::string_view expected, const std::string& given);
Complaint check_log_level(std::string_view expected, const std::string& given);
Complaint check_parser(std::string_view expected, const std::string& given);
Complaint check_log_format(std::string_view expected, const std::string& given);
Complaint check_adapter(std::string_view expected, const std::string& given);
Complaint check_sharded_mode(std::string_view expected, const std::string& given);
Complaint check_prefix(std::string_view expected, const std::string& given);

}  // namespace carillon::app
