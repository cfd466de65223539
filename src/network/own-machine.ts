/** Written as an address of the machine itself. A name that only leads there could lead elsewhere tomorrow. */
export function isOwnMachine({ hostname }: Pick<URL, 'hostname'>): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare);
}

/** Whether an address that people reach us by is of this machine; what is not said is no other. */
export const isReachedHere = (address: string | undefined): boolean => {
  const url = address === undefined ? null : URL.parse(address);
  return url === null || isOwnMachine(url);
};
