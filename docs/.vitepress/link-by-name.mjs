import { Converter } from 'typedoc';

/**
 * A TypeDoc plugin: `{@link Name}` and `{@link Name.member}` lead to what the package exports under that name, also from
 * files that do not import it, such as those that only tell which errors the functions they call throw.
 *
 * @param {import('typedoc').Application} app
 */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    app.converter.addUnknownSymbolResolver(({ symbolReference }) => {
      const names = symbolReference?.path?.map(({ path }) => path) ?? [];
      const target = (project.children ?? [])
        .map((entry) => entry.getChildByName(names))
        .find((reflection) => reflection !== undefined && !reflection.isReference());
      return target && { target, caption: names.join('.') };
    });
  });
}
