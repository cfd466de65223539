import { describe, expect, test } from 'vitest';
import { renderMarkdown } from '../../src/views/index.ts';

describe('what somebody writes', () => {
  test('keeps its form', () => {
    expect(renderMarkdown('**two** `sheets`\n\n- one\n- two')).toContain(
      '<strong>two</strong> <code>sheets</code>',
    );
    expect(renderMarkdown('# Loud')).toContain('<h3>Loud</h3>');
  });

  test('links to other places without vouching for them', () => {
    expect(renderMarkdown('see https://example.org/a?b=1&c=2')).toContain(
      '<a href="https://example.org/a?b=1&amp;c=2" rel="nofollow noopener">',
    );
  });

  test('shows pictures of ours, and of nobody else', () => {
    expect(renderMarkdown('![jam](/attachments/01ABC/jam.png)')).toContain(
      '<img src="/attachments/01ABC/jam.png" alt="jam"',
    );
    expect(renderMarkdown('![spy](https://evil.example/p.gif)')).not.toContain('<img');
    expect(renderMarkdown('![spy](//evil.example/p.gif)')).not.toContain('<img');
    expect(renderMarkdown('![spy](/attachments/../logout)')).not.toContain('<img');
  });

  test.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[x](javascript:alert(1))',
    '[x](data:text/html,<script>alert(1)</script>)',
    '<a href="java&#115;cript:alert(1)">x</a>',
    '![x](/attachments/a" onerror="alert(1))',
    '`<svg onload=alert(1)>`',
    '<style>body{display:none}</style>',
  ])('does nothing: %s', (text) => {
    const html = renderMarkdown(text);

    expect(html).not.toMatch(/<(script|style|svg|iframe)\b/i);
    expect(html).not.toMatch(/<[^>]*(\son\w+\s*=|javascript:|data:)/i);
  });
});
