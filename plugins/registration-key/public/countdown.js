// How long a place is still held. The moment stands beside it for everybody; this only counts.
const two = (number) => String(number).padStart(2, '0');

function left(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(seconds % 60)}`
    : `${minutes}:${two(seconds % 60)}`;
}

class SeatCountdown extends HTMLElement {
  connectedCallback() {
    // The server says how much is left, so that a wrong clock on the phone does not matter.
    this.endsAt = performance.now() + Number(this.dataset.left);
    this.hidden = false;
    this.tick();
    this.timer = setInterval(() => this.tick(), 1000);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  tick() {
    const rest = this.endsAt - performance.now();
    this.textContent = (rest > 0 ? this.dataset.words : this.dataset.over).replace('#', left(rest));
    if (rest <= 0) clearInterval(this.timer);
  }
}

customElements.define('seat-countdown', SeatCountdown);
