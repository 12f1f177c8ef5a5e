/**
 * Character classes of Unicode 15.1 as insides of a regular expression's brackets, for the flag `u`.
 *
 * `\p{L}` in an expression asks the tables of the runtime, which change with its version: the same prompt would become
 * other tokens. 15.1 is what the oldest supported Node has, so that its composition (NFC) and lower case of the
 * characters assigned there are final by the stability policies of Unicode.
 */
import White_Space from 'regenerate-unicode-properties/Binary_Property/White_Space.js';
import Letter from 'regenerate-unicode-properties/General_Category/Letter.js';
import Number_ from 'regenerate-unicode-properties/General_Category/Number.js';
import Other from 'regenerate-unicode-properties/General_Category/Other.js';
import Space_Separator from 'regenerate-unicode-properties/General_Category/Space_Separator.js';

type Property = typeof Letter;

function classBody({ characters }: Property): string {
  return characters.toString({ hasUnicodeFlag: true }).replace(/^\[|\]$/g, '');
}

/** L: letters. */
export const LETTER: string = classBody(Letter);
/** N: decimal digits and other numbers. */
export const NUMBER: string = classBody(Number_);
/** C: control, format, private, surrogate and unassigned. */
export const OTHER: string = classBody(Other);
/** Zs: spaces. */
export const SPACE: string = classBody(Space_Separator);
/** White_Space: spaces, line ends and the like. */
export const WHITE_SPACE: string = classBody(White_Space);
