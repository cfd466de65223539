import type { MailTransport, OutgoingMail } from './mail/index.ts';
import type { Clock } from './shared/clock.ts';

const KEPT = 50;

export interface KeptLetter extends OutgoingMail {
  number: number;
  at: number;
}

/** Takes every mail and shows it to whoever writes a plugin; nothing leaves the machine. */
export class DevMailbox implements MailTransport {
  readonly #clock: Clock;
  #letters: KeptLetter[] = [];
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Newest first. */
  get letters(): readonly KeptLetter[] {
    return this.#letters;
  }

  send(mail: OutgoingMail): Promise<string> {
    this.#count += 1;
    this.#letters = [{ ...mail, number: this.#count, at: this.#clock.now() }, ...this.#letters].slice(
      0,
      KEPT,
    );
    return Promise.resolve('250 Kept for the author of the plugin');
  }

  find(number: number): KeptLetter | undefined {
    return this.#letters.find((letter) => letter.number === number);
  }

  close(): void {
    this.#letters = [];
  }
}
