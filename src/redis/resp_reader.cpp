#include "redis/resp_reader.hpp"

#include <hiredis/read.h>

#include <algorithm>

namespace carillon::redis {
namespace {

// hiredis moves what is left of its buffer after each reply of a KiB or more: small slices keep that cheap.
constexpr std::size_t slice_bytes = 8 * 1024;
constexpr std::size_t kept_bytes = 64 * 1024;  // of a text's capacity, for the next reply

void* const built = const_cast<char*>("");  // hiredis wants something that is not null for each object

}  // namespace

// What hiredis calls. Lambdas with `auto`, because the types of lengths differ between its versions.
struct RespReader::Callbacks {
  static RespReader& reader(const redisReadTask* task) { return *static_cast<RespReader*>(task->privdata); }

  static redisReplyObjectFunctions* functions() {
    static redisReplyObjectFunctions table = [] {
      redisReplyObjectFunctions made{};
      made.createString = [](const redisReadTask* task, char* text, auto length) -> void* {
        reader(task).begin_item(task, type_of(task->type));
        if (Reply::Item* item = reader(task).item_) item->text.assign(text, static_cast<std::size_t>(length));
        return built;
      };
      made.createArray = [](const redisReadTask* task, auto count) -> void* {
        reader(task).begin_item(task, Reply::Type::array);
        if (task->parent == nullptr) reader(task).reply_.size = static_cast<std::size_t>(count);
        return built;
      };
      made.createInteger = [](const redisReadTask* task, auto number) -> void* {
        reader(task).begin_item(task, Reply::Type::integer);
        if (Reply::Item* item = reader(task).item_) item->number = number;
        return built;
      };
      made.createNil = [](const redisReadTask* task) -> void* {
        reader(task).begin_item(task, Reply::Type::nil);
        return built;
      };
      made.freeObject = [](void*) {};
      return made;
    }();
    return &table;
  }

  static Reply::Type type_of(int type) {
    switch (type) {
      case REDIS_REPLY_STATUS:
        return Reply::Type::status;
      case REDIS_REPLY_ERROR:
        return Reply::Type::error;
      default:
        return Reply::Type::text;
    }
  }
};

void RespReader::Free::operator()(redisReader* reader) const { redisReaderFree(reader); }

RespReader::RespReader(std::size_t reply_bytes_max) : reply_bytes_max_(reply_bytes_max) { reset(); }
RespReader::~RespReader() = default;

void RespReader::reset() {
  reader_.reset(redisReaderCreateWithFunctions(Callbacks::functions()));
  if (reader_) reader_->privdata = this;
  input_ = {};
  error_.clear();
}

const Reply* RespReader::next() {
  if (!error_.empty()) return nullptr;
  if (!reader_) return error_ = "out of memory", nullptr;
  for (;;) {
    void* done = nullptr;
    if (redisReaderGetReply(reader_.get(), &done) != REDIS_OK) return error_ = reader_->errstr, nullptr;
    if (done != nullptr) return &reply_;
    if (input_.empty()) return nullptr;
    const std::string_view slice = input_.substr(0, slice_bytes);
    input_.remove_prefix(slice.size());
    if (redisReaderFeed(reader_.get(), slice.data(), slice.size()) != REDIS_OK)
      return error_ = reader_->errstr, nullptr;
    if (reader_->len - reader_->pos > reply_bytes_max_ + slice_bytes)
      return error_ = "a reply of more than " + std::to_string(reply_bytes_max_) + " bytes", nullptr;
  }
}

void RespReader::begin_item(const redisReadTask* task, Reply::Type type) {
  item_ = nullptr;
  if (task->parent == nullptr) {
    reply_.type = type;
    reply_.size = 1;
    for (Reply::Item& item : reply_.items) {
      item.type = Reply::Type::nil;
      item.number = 0;
      item.text.clear();
      if (item.text.capacity() > kept_bytes) item.text.shrink_to_fit();
    }
    if (type != Reply::Type::array) item_ = &reply_.items[0];
  } else if (task->parent->parent == nullptr && task->idx < static_cast<int>(reply_.items.size())) {
    item_ = &reply_.items[static_cast<std::size_t>(task->idx)];
  }
  if (item_ != nullptr) item_->type = type;
}

}  // namespace carillon::redis
