// Splits PTX text into tokens. Comments vanish; line numbers stay because `.loc` and `.file` end
// with their line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cudasim::ptx {

enum class TokenKind : uint8_t {
  kWord,         // identifiers, opcodes with their dots, registers, directives, numbers
  kString,       // without the quotes
  kPunctuation,  // one character
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;
  uint32_t line = 0;
  uint32_t offset = 0;  // position in the text, used to quote a statement
};

/** Tokens point into `text`, which must outlive them. The last token is always kEnd. */
std::vector<Token> tokenize(std::string_view text);

}  // namespace cudasim::ptx
