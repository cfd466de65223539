/** Programs that follow links in mails and chats to look for danger or to draw a preview: what they open, no person has opened. */
const scanner = new RegExp(
  [
    'bot\\b',
    'bot/',
    'crawl',
    'spider',
    'preview',
    'scan',
    'safelinks|safe links',
    'proofpoint|barracuda|mimecast|fireeye|trendmicro|sophos|forcepoint|ironport|cisco|symantec|bitdefender|avast|kaspersky',
    'facebookexternalhit|whatsapp|telegram|slack|discord|skypeuri|linkedin|twitter|pinterest|viber|signal',
    'googleimageproxy|bingpreview|outlook-url|microsoft office|yahoomailproxy|msoffice|urlcheck|ms-office',
    'curl|wget|python|java/|go-http|okhttp|libwww|httpclient|axios|node-fetch|undici|headless|phantom|monitor|uptime',
  ].join('|'),
  'i',
);

/** Every browser of a person says that it is one. */
export const isScanner = (userAgent: string): boolean =>
  !userAgent.startsWith('Mozilla/') || scanner.test(userAgent);
