#include <carillon/args.hpp>

#include "base/json.hpp"

namespace carillon {

Args::Args() = default;
Args::~Args() = default;

Args::Args(Array values) : parsed_(std::make_unique<Array>(std::move(values))) {
  for (const Value& value : *parsed_) {
    if (!owned_.empty()) owned_.push_back(',');
    append_json(owned_, value, attachments_);
  }
  text_ = owned_;
}

// Values with binary are kept: in the text its places look like data that happens to be written so.
Args::Args(const Args& other) : owned_(other.text_), text_(owned_), attachments_(other.attachments_) {
  if (other.parsed_ && !attachments_.empty()) parsed_ = std::make_unique<Array>(*other.parsed_);
}

Args::Args(Args&& other) noexcept { *this = std::move(other); }

Args& Args::operator=(const Args& other) {
  if (this != &other) *this = Args(other);
  return *this;
}

Args& Args::operator=(Args&& other) noexcept {
  if (this == &other) return *this;
  const bool borrowed = other.text_.data() != other.owned_.data();
  text_ = other.text_;
  owned_ = std::move(other.owned_);
  if (!borrowed) text_ = owned_;  // short strings move their bytes
  attachments_ = std::move(other.attachments_);
  parsed_ = std::move(other.parsed_);
  other.owned_.clear();
  other.text_ = {};
  return *this;
}

Args Args::borrow(std::string_view elements) {
  Args args;
  args.text_ = elements;
  return args;
}

const Array& Args::values() const {
  if (!parsed_) {
    parsed_ = std::make_unique<Array>();
    const std::string document = "[" + std::string(text_) + "]";
    // Text with attachments comes from values only, which are kept; so there are no placeholders to fill unless copied.
    auto value = attachments_.empty() ? parse_json(document) : parse_json(document, attachments_);
    if (value) *parsed_ = std::move(std::get<Array>(value->storage()));
  }
  return *parsed_;
}

const Value& Args::operator[](std::size_t index) const {
  static const Value null;
  const Array& all = values();
  return index < all.size() ? all[index] : null;
}

}  // namespace carillon
