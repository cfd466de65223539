import type { Page } from 'playwright-core';

export interface VirtualDevice {
  /** How many passkeys it holds. */
  count(): Promise<number>;
  /** From now on nobody touches it: the browser gives up. */
  refuse(): Promise<void>;
}

/** Gives the browser a device that makes passkeys and says yes at once. */
export async function withDevice(page: Page): Promise<VirtualDevice> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    count: async () =>
      (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length,
    refuse: async () => {
      await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    },
  };
}
