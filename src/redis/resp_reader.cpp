#include "redis/resp_reader.hpp"

#include <hiredis/read.h>

#include <algorithm>

namespace carillon::redis {
namespace {

// hiredis moves what is left of its buffer after each reply of a KiB or more: small slices keep that cheap.
constexpr std::size_t slice_bytes = 8 * 1024;
constexpr std::size_t kept_bytes = 64 * 1024;  // of a text's capacity, for the next reply

}  // namespace

// What hiredis calls. Lambdas with `auto`, because the types of lengths differ between its versions.
struct RespReader::Callbacks {
  static RespReader& reader(const redisReadTask* task) { return *static_cast<RespReader*>(task->privdata); }

  static redisReplyObjectFunctions* functions() {
    static redisReplyObjectFunctions table = [] {
      redisReplyObjectFunctions made{};
      made.createString = [](const redisReadTask* task, char* text, auto length) -> void* {
        const auto bytes = static_cast<std::size_t>(length);
        Reply* item = reader(task).begin_item(task, type_of(task->type), bytes);
        if (item != nullptr) item->text.assign(text, bytes);
        return item;
      };
      made.createArray = [](const redisReadTask* task, auto count) -> void* {
        if (task->parent == nullptr) reader(task).size_ = static_cast<std::size_t>(count);
        return reader(task).begin_item(task, Reply::Type::array, 0);
      };
      made.createInteger = [](const redisReadTask* task, auto number) -> void* {
        Reply* item = reader(task).begin_item(task, Reply::Type::integer, 0);
        if (item != nullptr) item->number = number;
        return item;
      };
      made.createNil = [](const redisReadTask* task) -> void* {
        return reader(task).begin_item(task, Reply::Type::nil, 0);
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
  too_long_ = false;
}

Reply* RespReader::next() {
  if (!error_.empty()) return nullptr;
  if (!reader_) return error_ = "out of memory", nullptr;
  for (;;) {
    void* done = nullptr;
    if (redisReaderGetReply(reader_.get(), &done) != REDIS_OK) {
      if (error_.empty()) error_ = reader_->errstr;
      return nullptr;
    }
    if (done != nullptr) {
      reply_.items.resize(reply_.type == Reply::Type::array ? size_ : 0);
      return &reply_;
    }
    if (input_.empty()) return nullptr;
    const std::string_view slice = input_.substr(0, slice_bytes);
    input_.remove_prefix(slice.size());
    if (redisReaderFeed(reader_.get(), slice.data(), slice.size()) != REDIS_OK)
      return error_ = reader_->errstr, nullptr;
    if (reader_->len - reader_->pos > reply_bytes_max_ + slice_bytes) return fail_too_long(), nullptr;
  }
}

void RespReader::fail_too_long() {
  too_long_ = true;
  error_ = "a reply of more than " + std::to_string(reply_bytes_max_) + " bytes";
}

// Where the item goes; nullptr makes hiredis give up. While an array is filled those around it stay where they are.
Reply* RespReader::begin_item(const redisReadTask* task, Reply::Type type, std::size_t bytes) {
  Reply* item = &reply_;
  if (task->parent == nullptr) {
    bytes_ = 0;
  } else {
    std::vector<Reply>& items = static_cast<Reply*>(task->parent->obj)->items;
    const auto index = static_cast<std::size_t>(task->idx);
    if (index >= items.size()) items.emplace_back();
    item = &items[index];
    if (!item->items.empty()) item->items.clear();
  }
  bytes_ += sizeof(Reply) + bytes;
  if (bytes_ > reply_bytes_max_ + sizeof(Reply)) return fail_too_long(), nullptr;
  item->type = type;
  item->number = 0;
  item->text.clear();
  if (item->text.capacity() > kept_bytes) item->text.shrink_to_fit();
  return item;
}

}  // namespace carillon::redis
