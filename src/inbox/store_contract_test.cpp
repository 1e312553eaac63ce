#include "inbox/memory_store.hpp"
#include "inbox/sqlite_store.hpp"
#include "inbox/testing.hpp"
#include "inbox/testing_contract.hpp"

namespace carillon::inbox {
namespace {

class MemoryBench final : public StoreBench {
 public:
  explicit MemoryBench(const StoreLimits& limits) : store_("model", limits) {}
  Store& store() override { return store_; }
  void settle() override { store_.run(); }

 private:
  MemoryStore store_;
};

class SqliteBench final : public StoreBench {
 public:
  explicit SqliteBench(const StoreLimits& limits)
      : store_(SqliteStore::open(directory_.file("inbox.db"), limits, *random_).value()) {}
  Store& store() override { return *store_; }
  void settle() override {
    while (store_->waiting() > 0) EXPECT_TRUE(store_->commit()) << store_->complaint();
  }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<Random> random_ = make_system_random();
  std::unique_ptr<SqliteStore> store_;
};

const StoreKind kinds[] = {
    {"memory", [](const StoreLimits& limits) { return std::make_unique<MemoryBench>(limits); }},
    {"sqlite", [](const StoreLimits& limits) { return std::make_unique<SqliteBench>(limits); }},
};

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract, testing::ValuesIn(kinds),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace carillon::inbox
