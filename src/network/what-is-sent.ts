/** A request to the hub, as it leaves. */
export interface Sent {
  method: 'GET' | 'POST';
  url: string;
  headers: Record<string, string>;
  body?: string;
}

/** As it goes over the line, for people to read: only the key is cut to its mark. */
export function shownAsSent({ method, url, headers, body }: Sent, mark: string): string {
  const { host, pathname } = new URL(url);
  const lines = Object.entries({ host, ...headers }).map(
    ([name, value]) => `${name}: ${name === 'x-registration-key' ? mark : value}`,
  );
  return [`${method} ${pathname}`, ...lines, ...(body === undefined ? [] : ['', body])].join('\n');
}
