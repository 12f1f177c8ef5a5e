import { LETTER, NUMBER, OTHER, SPACE } from './unicode-classes.ts';

const LINE_WHITESPACE = /[\t\n\r]/gu;
// U+0000 is in category C as well.
const DROPPED: RegExp = new RegExp(`[${OTHER}\\uFFFD]`, 'gu');
const SPACE_SEPARATOR: RegExp = new RegExp(`[${SPACE}]`, 'gu');
const CJK_IDEOGRAPH =
  /[\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF\u{20000}-\u{2A6DF}\u{2A700}-\u{2CEAF}\u{2F800}-\u{2FA1F}]/gu;

/**
 * Text as CLIP's vocabulary expects it: control, format and unassigned characters dropped, ideographs set
 * apart, NFC, lower case, single spaces. Accents and punctuation stay.
 *
 * @see transformers 4.57.6 `tokenization_clip.py` `BasicTokenizer`, the path taken without `ftfy`.
 */
export function cleanClipText(text: string): string {
  return text
    .replace(LINE_WHITESPACE, ' ')
    .replace(DROPPED, '')
    .replace(SPACE_SEPARATOR, ' ')
    .replace(CJK_IDEOGRAPH, ' $& ')
    .normalize('NFC')
    .split(/\s+/u)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase())
    .join(' ');
}

/**
 * The pattern that cuts cleaned text into words: special tokens, English contractions, runs of letters,
 * single digits, runs of anything else.
 *
 * Upstream matches case-insensitively. Case is already folded here, so only two effects of that are left:
 * U+017F matches `s`, and U+0345, whose case folding is a letter, belongs to no class and only separates.
 *
 * @param specialTokens - Contents of the special tokens, matched literally.
 */
export function clipWordPattern(specialTokens: readonly string[]): RegExp {
  const specials = specialTokens
    .map((token) => `${escapeForRegExp(token.toLowerCase())}|`)
    .join('');
  return new RegExp(
    `${specials}'[s\u017F]|'t|'re|'ve|'m|'ll|'d|[${LETTER}]+|[${NUMBER}]|[^\\s${LETTER}${NUMBER}\u0345]+`,
    'gu',
  );
}

/** `text` as a regular expression source that matches it literally. */
export function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&');
}
