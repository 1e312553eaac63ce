#include "websocket/extensions.hpp"

#include <gtest/gtest.h>

#include <string>

namespace carillon::websocket {
namespace {

// The offers as one text: name(parameter,parameter=value); "malformed".
std::string parsed(std::string_view header) {
  const auto offers = parse_extensions(header);
  if (!offers) return "malformed";
  std::string text;
  for (const ExtensionOffer& offer : *offers) {
    text += std::string(offer.name) + "(";
    for (const auto& [name, value] : offer.parameters) text += std::string(name) + (value ? "=" + *value : "") + ",";
    if (!offer.parameters.empty()) text.pop_back();
    text += ")";
  }
  return text;
}

TEST(Extensions, names_parameters_and_values_in_the_order_of_the_header) {
  EXPECT_EQ(parsed("foo"), "foo()");
  EXPECT_EQ(parsed("foo;a;b=1,bar, foo ; c"), "foo(a,b=1)bar()foo(c)");
  EXPECT_EQ(parsed("  foo\t; a = 1 ,bar "), "foo(a=1)bar()");
  EXPECT_EQ(parsed("permessage-deflate; client_max_window_bits"), "permessage-deflate(client_max_window_bits)");
}

TEST(Extensions, quoted_values_are_tokens_too) {
  EXPECT_EQ(parsed(R"(foo; a="10")"), "foo(a=10)");
  EXPECT_EQ(parsed(R"(foo; a="1\0"; b)"), "foo(a=10,b)");
}

TEST(Extensions, what_is_against_the_grammar) {
  for (const std::string_view header :
       {"",           " ",           ",",          "foo,",           ",foo",         "foo;",       "foo;;a",
        "foo;=1",     "foo; a=",     "foo; a==1",  "foo bar",        "foo; a b",     "foo; a=1 2", "f\x01o",
        "f\xc3\xb6o", "foo; a=\"\"", "foo; a=\"1", "foo; a=\"1 2\"", "foo; a=\"1\\", "foo/1",      "foo; a=\"1\"2"})
    EXPECT_EQ(parsed(header), "malformed") << header;
}

}  // namespace
}  // namespace carillon::websocket
