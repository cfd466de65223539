interface Place {
  /** `tickets/list`. */
  template: string;
  /** `core`, or the plugin that draws it. */
  owner: string;
  source: string;
}

/** What went wrong while a page was drawn, in which template and, where it can be known, on which line. */
export class TemplateError extends Error {
  readonly owner: string;

  /** What a plugin puts into a layout of ours is drawn by ours: it is the plugin's all the same. */
  static in(place: Place, error: unknown): TemplateError {
    if (!(error instanceof TemplateError)) return new TemplateError(place, error);
    return error.owner === 'core' && place.owner !== 'core' ? new TemplateError(place, error.cause) : error;
  }

  constructor({ template, owner, source }: Place, cause: unknown) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const helper = /^Missing helper: "(.+)"$/.exec(message)?.[1];
    const line = helper === undefined ? lineIn(message) : lineOfCall(source, helper);
    const words =
      helper === undefined ? message.replace(/^line \d+: /, '') : `There is no helper "${helper}".`;
    super(`${template}.hbs${line === null ? '' : `:${String(line)}`}: ${words}`, { cause });
    this.name = 'TemplateError';
    this.owner = owner;
  }
}

const lineIn = (message: string): number | null => Number(/line (\d+)/.exec(message)?.[1] ?? 0) || null;

function lineOfCall(source: string, helper: string): number | null {
  const index = Math.max(
    source.indexOf(`{{${helper}`),
    source.indexOf(`(${helper} `),
    source.indexOf(`{{#${helper}`),
  );
  return index < 0 ? null : source.slice(0, index).split('\n').length;
}
