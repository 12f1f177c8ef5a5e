#include "ptx/lexer.h"

#include <cctype>

namespace cudasim::ptx {
namespace {

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%' ||
         c == '.';
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> run() {
    std::vector<Token> tokens;
    tokens.reserve(text_.size() / 5);
    for (;;) {
      skip_blank();
      if (at_ >= text_.size()) break;
      tokens.push_back(next());
    }
    tokens.push_back({TokenKind::kEnd, {}, line_, static_cast<uint32_t>(text_.size())});
    return tokens;
  }

 private:
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void skip_blank() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n') {
        ++line_;
        ++at_;
      } else if (std::isspace(static_cast<unsigned char>(c)) || c == '\0') {
        ++at_;
      } else if (c == '/' && peek(1) == '/') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (c == '/' && peek(1) == '*') {
        skip_block_comment();
      } else {
        return;
      }
    }
  }

  void skip_block_comment() {
    at_ += 2;
    while (at_ < text_.size() && !(text_[at_] == '*' && peek(1) == '/')) {
      if (text_[at_] == '\n') ++line_;
      ++at_;
    }
    at_ += 2;
  }

  Token next() {
    const size_t begin = at_;
    if (text_[at_] == '"') {
      const size_t end = text_.find('"', at_ + 1);
      at_ = end == std::string_view::npos ? text_.size() : end + 1;
      return make(TokenKind::kString, begin + 1, at_ - 1);
    }
    if (!is_word_character(text_[at_])) {
      ++at_;
      return make(TokenKind::kPunctuation, begin, at_);
    }
    while (at_ < text_.size()) {
      if (is_word_character(text_[at_])) {
        ++at_;
      } else if (text_[at_] == ':' && peek(1) == ':') {
        at_ += 2;  // qualifiers such as .L2::128B; a label has a single colon
      } else {
        break;
      }
    }
    return make(TokenKind::kWord, begin, at_);
  }

  Token make(TokenKind kind, size_t begin, size_t end) const {
    return {kind, text_.substr(begin, end - begin), line_, static_cast<uint32_t>(begin)};
  }

  std::string_view text_;
  size_t at_ = 0;
  uint32_t line_ = 1;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text) { return Lexer(text).run(); }

}  // namespace cudasim::ptx
