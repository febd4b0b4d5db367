/** Names of parameters in a URL's query that may carry a key. Others are versions and regions. */
export const SECRET_PARAMETER = /key|token|secret|sig|password|auth/i;

const HIDDEN = "***";

export function hasSecretParameter({ searchParams }: URL): boolean {
  return [...searchParams.keys()].some((name) => SECRET_PARAMETER.test(name));
}

/** Without login, and without the values of parameters that may be secret. */
export function shownUrl(url: URL): string {
  const shown = new URL(url);
  shown.username = "";
  shown.password = "";
  for (const name of [...shown.searchParams.keys()]) {
    if (SECRET_PARAMETER.test(name)) shown.searchParams.set(name, HIDDEN);
  }
  return shown.href;
}

/** Of a proxy, which has neither path nor query. */
export function shownProxy(url: URL): string {
  return `${url.protocol}//${url.host}`;
}
