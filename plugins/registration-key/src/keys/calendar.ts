/** When an invitation opens, as a calendar entry. */
export function calendarEntry(facts: {
  uid: string;
  at: number;
  now: number;
  title: string;
  url: string;
}): string {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Latchkey//Invitation//EN',
    'BEGIN:VEVENT',
    `UID:${facts.uid}`,
    `DTSTAMP:${stamp(facts.now)}`,
    `DTSTART:${stamp(facts.at)}`,
    `DTEND:${stamp(facts.at + 15 * 60_000)}`,
    `SUMMARY:${escaped(facts.title)}`,
    `URL:${facts.url}`,
    'END:VEVENT',
    'END:VCALENDAR',
  ];
  return `${lines.join('\r\n')}\r\n`;
}

const stamp = (at: number): string => new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, '');
const escaped = (text: string): string => text.replace(/[\\;,]/g, '\\$&').replace(/\s+/g, ' ');
