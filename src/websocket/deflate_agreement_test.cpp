#include "websocket/deflate_agreement.hpp"

#include <gtest/gtest.h>

#include <string>

namespace carillon::websocket {
namespace {

// The answer's header; "none" where there is no agreement.
std::string answer(std::string_view header, const DeflateSettings& settings = {}, bool window_allowed = true) {
  const auto offers = parse_extensions(header);
  if (!offers) return "malformed";
  const auto agreement = agree_on_deflate(*offers, settings, window_allowed);
  return agreement ? to_header(*agreement) : "none";
}

const std::string plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

DeflateSettings with_client_context() {
  DeflateSettings settings;
  settings.client_no_context_takeover = false;
  return settings;
}

TEST(DeflateAgreement, what_browsers_and_ws_offer) {
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits"), plain);
  EXPECT_EQ(answer("permessage-deflate"), plain);
  EXPECT_EQ(answer("permessage-deflate; server_no_context_takeover; client_no_context_takeover"), plain);
}

TEST(DeflateAgreement, other_extensions_are_passed_over) {
  EXPECT_EQ(answer("x-webkit-deflate-frame"), "none");
  EXPECT_EQ(answer("permessage-bzip2, permessage-deflate"), plain);
}

TEST(DeflateAgreement, the_first_valid_offer_counts) {
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=10, permessage-deflate"), plain);
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=15, permessage-deflate"),
            plain + "; server_max_window_bits=15");
}

TEST(DeflateAgreement, declines_what_the_rfc_calls_invalid) {
  for (const std::string_view parameters :
       {"unknown", "server_no_context_takeover=1", "client_no_context_takeover=true", "server_max_window_bits",
        "server_max_window_bits=7", "server_max_window_bits=16", "server_max_window_bits=015",
        "server_max_window_bits=x", "client_max_window_bits=7", "client_max_window_bits=16",
        "client_max_window_bits=08", "client_max_window_bits=+9",
        "client_no_context_takeover; client_no_context_takeover",
        "server_max_window_bits=15; server_max_window_bits=15", "Client_max_window_bits"})
    EXPECT_EQ(answer("permessage-deflate; " + std::string(parameters)), "none") << parameters;
}

TEST(DeflateAgreement, a_client_that_can_take_a_small_window_only_is_not_compressed_for) {
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=14"), "none");
  DeflateSettings small;
  small.server_window_bits = 12;
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=14", small), plain + "; server_max_window_bits=12");
  EXPECT_EQ(answer("permessage-deflate", small), plain + "; server_max_window_bits=12");
}

TEST(DeflateAgreement, the_clients_window_is_the_smaller_of_both) {
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits=10"), plain + "; client_max_window_bits=10");
  DeflateSettings small;
  small.client_window_bits = 12;
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits", small), plain + "; client_max_window_bits=12");
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits=9", small), plain + "; client_max_window_bits=9");
  EXPECT_EQ(answer("permessage-deflate", small), "none") << "may not be told to a client that does not know the word";
}

TEST(DeflateAgreement, clients_keep_their_context_where_allowed_and_while_there_is_memory) {
  EXPECT_EQ(answer("permessage-deflate", with_client_context()), "permessage-deflate; server_no_context_takeover");
  EXPECT_EQ(answer("permessage-deflate; client_no_context_takeover", with_client_context()), plain);
  EXPECT_EQ(answer("permessage-deflate", with_client_context(), false), plain);
}

TEST(DeflateAgreement, only_clients_with_context_need_a_window) {
  DeflateAgreement agreement;
  agreement.client_window_bits = 12;
  EXPECT_EQ(agreement.window_bytes(), 0U);
  agreement.client_no_context_takeover = false;
  EXPECT_EQ(agreement.window_bytes(), 4096U);
}

}  // namespace
}  // namespace carillon::websocket
