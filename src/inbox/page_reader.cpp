#include "inbox/page_reader.hpp"

#include <memory>
#include <utility>

#include "inbox/wire.hpp"

namespace carillon::inbox {
namespace {

struct Reading {
  Store& store;
  PageRequest request;
  std::function<void(Result<std::string, StoreError>)> done;
  std::uint64_t after = 0;
  bool epoch_changed = false;
  Page page{};
};
using ReadingPtr = std::shared_ptr<Reading>;

void finish(const ReadingPtr& reading) {
  reading->store.summarize(reading->request.user, reading->request.now,
                           [reading](const Result<UserSummary, StoreError>& summary) {
                             if (!summary) return reading->done(Failure(summary.error()));
                             const std::string unread = ",\"unread\":" + std::to_string(summary->unread);
                             reading->done(page_json(reading->page, reading->after, reading->epoch_changed, unread));
                           });
}

void read(const ReadingPtr& reading) {
  reading->store.read({.user = reading->request.user,
                       .after = reading->after,
                       .entries_max = reading->request.entries_max,
                       .bytes_max = page_bytes_max,
                       .now = reading->request.now,
                       .epoch = reading->after > 0 ? reading->request.after->epoch : ""},
                      [reading](Result<Page, StoreError> page) {
                        if (!page) return reading->done(Failure(page.error()));
                        if (!page->continues && !reading->epoch_changed) {
                          reading->epoch_changed = true;
                          reading->after = 0;
                          return read(reading);
                        }
                        reading->page = std::move(*page);
                        finish(reading);
                      });
}

}  // namespace

void read_page(Store& store, PageRequest request, std::function<void(Result<std::string, StoreError>)> done) {
  const std::uint64_t after = request.after ? request.after->number : 0;
  read(std::make_shared<Reading>(Reading{store, std::move(request), std::move(done), after}));
}

}  // namespace carillon::inbox
