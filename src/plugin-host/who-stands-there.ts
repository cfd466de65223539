/** A place in a stack, as the debugger tells it. */
export interface Frame {
  name: string;
  url: string;
  line: number;
}

/** The innermost place in the stack that is in a folder of one of these. */
export function placeIn(
  frames: readonly Frame[],
  accused: readonly { plugin: string; folderUrl: string }[],
): { plugin: string; place: string } | null {
  for (const { name, url, line } of frames) {
    const owner = accused.find(({ folderUrl }) => url.startsWith(folderUrl));
    if (!owner) continue;
    const file = url.slice(owner.folderUrl.length).replace(/\?.*$/, '');
    return { plugin: owner.plugin, place: `${name === '' ? 'a function' : name} (${file}:${String(line)})` };
  }
  return null;
}
