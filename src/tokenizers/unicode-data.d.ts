/** The part of the data package that is used: a set of code points for each property. */
declare module 'regenerate-unicode-properties/*' {
  const property: {
    readonly characters: { toString(options: { readonly hasUnicodeFlag: true }): string };
  };
  export = property;
}
