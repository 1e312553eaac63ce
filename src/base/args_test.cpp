#include <gtest/gtest.h>

#include <string>

#include <carillon/args.hpp>

namespace carillon {
namespace {

TEST(Args, none) {
  const Args args;
  EXPECT_TRUE(args.empty());
  EXPECT_EQ(args.size(), 0U);
  EXPECT_EQ(args.text(), "");
  EXPECT_TRUE(args[0].is_null());
  EXPECT_TRUE(make_args().empty());
  EXPECT_EQ(Args(Array{}).size(), 0U);
}

TEST(Args, from_values) {
  const Args args = make_args(1, "two", Object{{"three", 3.5}}, nullptr, true);
  EXPECT_EQ(args.text(), R"(1,"two",{"three":3.5},null,true)");
  ASSERT_EQ(args.size(), 5U);
  EXPECT_EQ(args[0].as_int64(), 1);
  EXPECT_EQ(*args[1].as_string(), "two");
  EXPECT_EQ(args[2].find("three")->as_double(), 3.5);
  EXPECT_TRUE(args[3].is_null());
  EXPECT_TRUE(args[5].is_null());
}

TEST(Args, borrowed_text_is_parsed_when_asked) {
  const std::string text = R"(1, "a" ,[true])";
  const Args args = Args::borrow(text);
  EXPECT_EQ(args.text().data(), text.data());
  EXPECT_FALSE(args.empty());
  ASSERT_EQ(args.size(), 3U);
  EXPECT_EQ(args[2], Value(Array{true}));
}

TEST(Args, a_copy_owns_its_bytes) {
  Args copy;
  Args assigned = make_args("old");
  {
    const std::string text = R"("short")";
    const Args borrowed = Args::borrow(text);
    copy = Args(borrowed);
    assigned = borrowed;
    EXPECT_NE(assigned.text().data(), text.data());
  }
  EXPECT_EQ(copy.text(), R"("short")");
  EXPECT_EQ(*assigned[0].as_string(), "short");
}

TEST(Args, moves_of_short_long_and_borrowed_text) {
  const std::string bytes(100, 'x');
  for (const std::string& text : {std::string("1,2"), '"' + bytes + '"', std::string()}) {
    Args borrowed = Args::borrow(text);
    Args owned(borrowed);
    Args moved(std::move(borrowed));
    EXPECT_EQ(moved.text(), text);
    Args moved_owned(std::move(owned));
    EXPECT_EQ(moved_owned.text(), text);
    Args assigned = make_args("old", Binary{"b"});
    (void)assigned.size();
    assigned = std::move(moved_owned);
    EXPECT_EQ(assigned.text(), text);
    EXPECT_EQ(assigned.size(), text.empty() ? 0U : text[0] == '1' ? 2U : 1U);
    EXPECT_TRUE(assigned.attachments().empty());
  }
}

TEST(Args, what_was_moved_from_is_empty) {
  Args args = make_args(1, Binary{"x"});
  const Args taken = std::move(args);
  EXPECT_EQ(taken.size(), 2U);
  EXPECT_TRUE(args.empty());  // NOLINT(bugprone-use-after-move): this is what is tested
  EXPECT_EQ(args.size(), 0U);
}

TEST(Args, assignment_to_itself) {
  Args args = make_args(1, "two");
  const Args& same = args;
  args = same;
  EXPECT_EQ(args.text(), R"(1,"two")");
  Args& alias = args;
  args = std::move(alias);
  EXPECT_EQ(args.text(), R"(1,"two")");
}

TEST(Args, binary_becomes_attachments) {
  const Args args = make_args(Binary{"one"}, Object{{"deep", Array{Binary{"two"}}}});
  EXPECT_EQ(args.text(), R"({"_placeholder":true,"num":0},{"deep":[{"_placeholder":true,"num":1}]})");
  ASSERT_EQ(args.attachments().size(), 2U);
  EXPECT_EQ(args.attachments()[1].bytes, "two");
  EXPECT_EQ(args[0].as_binary()->bytes, "one");
  const Args copy(args);
  EXPECT_EQ(copy.values(), args.values());
}

TEST(Args, copies_know_binary_from_what_looks_like_it) {
  const Args args = make_args(Object{{"_placeholder", true}, {"num", 7}}, Binary{"x"});
  const Args copy(args);
  EXPECT_EQ(copy.values(), args.values());
}

TEST(Args, copies_parse_the_same_values) {
  const Args args = make_args(-1, 18446744073709551615U, 0.1, "\"\\\n\x01\xc3\xbc", Array{Array{}, Object{}});
  const Args copy(args);
  EXPECT_EQ(copy.values(), args.values());
  EXPECT_EQ(copy.text(), args.text());
}

}  // namespace
}  // namespace carillon
