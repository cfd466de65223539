import markdownIt from 'markdown-it';
import sanitize from 'sanitize-html';

const parser = markdownIt({ html: false, linkify: true, breaks: true });

const allowed: sanitize.IOptions = {
  allowedTags: [
    ...['p', 'br', 'hr', 'strong', 'em', 's', 'code', 'pre', 'blockquote', 'ul', 'ol', 'li', 'a', 'img'],
    ...['h2', 'h3', 'h4', 'h5', 'h6', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
  ],
  allowedAttributes: {
    a: ['href', 'title', 'rel'],
    img: ['src', 'alt', 'title', 'loading', 'class'],
    ol: ['start'],
    code: ['class'],
  },
  allowedClasses: { code: ['language-*'], img: ['img-fluid'] },
  allowedSchemes: ['http', 'https', 'mailto', 'tel'],
  transformTags: {
    // A heading in a message stands below the headings of the page.
    h1: 'h3',
    h2: 'h4',
    a: sanitize.simpleTransform('a', { rel: 'nofollow noopener' }),
    img: (_tag, { src = '', alt = '' }) =>
      isOurs(src)
        ? { tagName: 'img', attribs: { src, alt, loading: 'lazy', class: 'img-fluid' } }
        : { tagName: 'span', attribs: {}, text: alt },
  },
};

/** Pictures come from our own attachments only: a foreign one would tell its server who reads. */
const isOurs = (source: string): boolean =>
  /^\/attachments\/[\w./-]+$/.test(source) && !source.includes('..');

/** What somebody wrote, as HTML that is safe to show. */
export const renderMarkdown = (text: string): string => sanitize(parser.render(text), allowed);
