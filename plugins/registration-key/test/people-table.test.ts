import { describe, expect, test } from 'vitest';
import { textOfFile } from '../src/mailings/file-text.ts';
import { columnsNotRead, readPeople } from '../src/mailings/people-table.ts';

const read = (text: string, options = {}): { format: string; delimiter: string; rows: object[] } => {
  const { rows, ...table } = readPeople(text, options);
  return { ...table, rows: [...rows] };
};
const emails = (text: string): string[] => [...readPeople(text).rows].map(({ email }) => email);

describe('a list of people', () => {
  test('is read however it was pasted', () => {
    expect(emails('a@acme.test, b@acme.test; c@acme.test')).toEqual([
      'a@acme.test',
      'b@acme.test',
      'c@acme.test',
    ]);
    expect(emails('a@acme.test b@acme.test\nc@acme.test')).toEqual([
      'a@acme.test',
      'b@acme.test',
      'c@acme.test',
    ]);
    expect(emails('a@acme.test\r\n\r\nb@acme.test\r\n')).toEqual(['a@acme.test', 'b@acme.test']);
    expect(read('"Martin, Jo" <jo@acme.test>\nLou Roy <lou@acme.test>').rows).toMatchObject([
      { line: 1, email: 'jo@acme.test', name: 'Martin, Jo' },
      { line: 2, email: 'lou@acme.test', name: 'Lou Roy' },
    ]);
  });

  test('may have names before its addresses, on some lines or on all', () => {
    expect(read('Ana Lund <ana@acme.test>\nBo Holm, bo@acme.test\ncy@acme.test').rows).toMatchObject([
      { line: 1, email: 'ana@acme.test', name: 'Ana Lund' },
      { line: 2, email: 'bo@acme.test', name: 'Bo Holm' },
      { line: 3, email: 'cy@acme.test', name: '' },
    ]);
    expect(read('17;Ana;Lund;ana@acme.test\n18;Bo;Holm;bo@acme.test').rows).toMatchObject([
      { email: 'ana@acme.test', name: 'Ana Lund' },
      { email: 'bo@acme.test', name: 'Bo Holm' },
    ]);
  });

  test('keeps what is no address, with the line it stands on', () => {
    expect(read('a@acme.test\n\nnot an address\nb@acme.test').rows).toMatchObject([
      { line: 1, email: 'a@acme.test' },
      { line: 3, email: 'not an address', written: 'not an address' },
      { line: 4, email: 'b@acme.test' },
    ]);
  });

  test.each([',', ';', '\t', '|'])(
    'may be a table with %j between its columns and a heading in either language',
    (mark) => {
      const text = [
        ['Nom', 'Prénom', 'Adresse e-mail', 'Langue'].join(mark),
        ['Roy', '"Lou ""L"" "', 'lou@acme.test', 'fr-FR'].join(mark),
      ].join('\n');

      expect(read(text)).toMatchObject({
        format: 'table',
        delimiter: mark,
        rows: [{ line: 2, email: 'lou@acme.test', name: 'Lou "L" Roy', locale: 'fr' }],
      });
    },
  );

  test('of Discourse has groups with semicolons and a topic, with or without a heading', () => {
    const rows = [
      { email: 'a@acme.test', groups: ['staff', 'paris'] },
      { email: 'b@acme.test', groups: [] },
    ];

    expect(read('a@acme.test,staff;paris,12\nb@acme.test,,')).toMatchObject({ format: 'discourse', rows });
    expect(read('email,groups,topic_id,locale\na@acme.test,staff;paris,12,en\nb@acme.test,,,')).toMatchObject(
      {
        format: 'discourse',
        rows,
      },
    );
  });

  test('has departments for groups, and says which columns nobody reads', () => {
    const staff = 'sep=;\nE-mail;Department;Badge;;Prénom\nana@acme.test;Paris|Lyon;B7;x;Ana';

    expect(read(staff).rows).toMatchObject([
      { email: 'ana@acme.test', groups: ['Paris', 'Lyon'], name: 'Ana' },
    ]);
    expect(columnsNotRead(staff)).toEqual(['Badge']);
    expect(columnsNotRead('ana@acme.test;B7\nbo@acme.test;B8')).toEqual([]);
    expect(columnsNotRead('email,groups,topic_id\na@acme.test,staff,12')).toEqual([]);
  });

  test('may be of staff numbers', () => {
    expect(read('matricule\n00123\nA-7', { staffNumbers: true }).rows).toMatchObject([
      { line: 2, staffNumber: '00123' },
      { line: 3, staffNumber: 'A-7' },
    ]);
    expect(read('00123\nA-7', { staffNumbers: true }).rows).toHaveLength(2);
  });

  test('counts lines through line breaks inside quotes, and after a word about its separator', () => {
    expect(read('sep=;\nemail;note\na@acme.test;"two\nlines"\nwrong;x').rows).toMatchObject([
      { line: 3, email: 'a@acme.test' },
      { line: 5, email: 'wrong' },
    ]);
  });
});

describe('an uploaded file', () => {
  const said = 'Zoë,zoë@acme.test';
  const utf16 = Buffer.from(said, 'utf16le');

  test.each([
    ['UTF-8', Buffer.from(said)],
    ['UTF-8 with a mark', Buffer.from(`\uFEFF${said}`)],
    ['UTF-16 with a mark', Buffer.concat([Buffer.from([0xff, 0xfe]), utf16])],
    ['UTF-16 without one', utf16],
    ['UTF-16 the other way round', Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(utf16).swap16()])],
    ['Western European', Buffer.from(said, 'latin1')],
  ])('is read in %s', (_name, bytes) => {
    expect(textOfFile(bytes)).toBe(said);
  });

  test.each([
    ['round.file_is_workbook', Buffer.from('PK\u0003\u0004…')],
    ['round.file_is_pdf', Buffer.from('%PDF-1.7')],
    ['round.file_not_text', Buffer.from('a\u0000b@acme.test and more text')],
    ['round.file_unknown_encoding', Buffer.from([0x61, 0x81, 0xe9])],
    ['round.file_too_big', Buffer.alloc(6 * 1024 * 1024, 0x61)],
  ])('is refused with %s where it is not a table', (code, bytes) => {
    expect(() => textOfFile(bytes)).toThrow(
      expect.objectContaining({ fields: [expect.objectContaining({ code })] }),
    );
  });
});
