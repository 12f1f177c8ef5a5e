#include "case_file.h"

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace framepack::test {

DType dtype_of_name(const std::string& name) {
  static const std::map<std::string, DType> kNames = {
      {"f32", DType::kF32},       {"f16", DType::kF16}, {"bf16", DType::kBf16},
      {"f8e4m3", DType::kF8E4M3}, {"i32", DType::kI32}, {"u8", DType::kU8}};
  const auto found = kNames.find(name);
  if (found == kNames.end()) throw std::runtime_error("unknown dtype " + name);
  return found->second;
}

long long Case::integer(const std::string& key, long long otherwise) const {
  return static_cast<long long>(number(key, static_cast<double>(otherwise)));
}

double Case::number(const std::string& key, double otherwise) const {
  const auto found = numbers_.find(key);
  return found == numbers_.end() ? otherwise : found->second.at(0);
}

std::string Case::text(const std::string& key, const std::string& otherwise) const {
  const auto found = texts_.find(key);
  return found == texts_.end() ? otherwise : found->second;
}

std::vector<long long> Case::list(const std::string& key) const {
  std::vector<long long> values;
  const auto found = numbers_.find(key);
  if (found == numbers_.end()) return values;
  for (const double value : found->second) values.push_back(static_cast<long long>(value));
  return values;
}

DType Case::dtype(const std::string& key, DType otherwise) const {
  const std::string name = text(key);
  return name.empty() ? otherwise : dtype_of_name(name);
}

std::string Case::describe() const { return source_; }

class CaseParser {
 public:
  explicit CaseParser(std::string text) : text_(std::move(text)) {}

  std::vector<Case> parse() {
    std::vector<Case> cases;
    expect('[');
    if (!accept(']')) {
      do cases.push_back(object());
      while (accept(','));
      expect(']');
    }
    return cases;
  }

  size_t position() const { return at_; }

 private:
  char peek() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool accept(char wanted) {
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }

  void expect(char wanted) {
    if (!accept(wanted)) throw std::runtime_error(std::string("expected ") + wanted);
  }

  std::string string() {
    expect('"');
    const size_t end = text_.find('"', at_);
    if (end == std::string::npos) throw std::runtime_error("unterminated string");
    std::string value = text_.substr(at_, end - at_);
    at_ = end + 1;
    return value;
  }

  double number() {
    peek();
    const char* begin = text_.c_str() + at_;
    char* end = nullptr;
    const double value = std::strtod(begin, &end);
    if (end == begin) throw std::runtime_error("expected a number");
    at_ += static_cast<size_t>(end - begin);
    return value;
  }

  bool word(const char* wanted) {
    const std::string name = wanted;
    if (text_.compare(at_, name.size(), name) != 0) return false;
    at_ += name.size();
    return true;
  }

  void value(Case& into, const std::string& key) {
    const char first = peek();
    if (first == '"') {
      into.texts_[key] = string();
    } else if (accept('[')) {
      std::vector<double>& values = into.numbers_[key];
      into.arrays_.insert(key);
      do values.push_back(number());
      while (accept(','));
      expect(']');
    } else if (word("true")) {
      into.numbers_[key] = {1};
    } else if (word("false")) {
      into.numbers_[key] = {0};
    } else {
      into.numbers_[key] = {number()};
    }
  }

  Case object() {
    Case result;
    expect('{');
    const size_t begin = at_ - 1;
    do {
      const std::string key = string();
      expect(':');
      value(result, key);
    } while (accept(','));
    expect('}');
    result.source_ = text_.substr(begin, at_ - begin);
    return result;
  }

  std::string text_;
  size_t at_ = 0;
};

std::vector<Case> read_cases(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error("cannot read " + file);
  CaseParser parser({std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()});
  try {
    return parser.parse();
  } catch (const std::exception& error) {
    throw std::runtime_error(file + ": " + error.what() + " at byte " +
                             std::to_string(parser.position()));
  }
}

}  // namespace framepack::test
