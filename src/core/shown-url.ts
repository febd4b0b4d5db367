/** Names of parameters in a URL's query that may carry a key. Others are versions and regions. */
const SECRET_PARAMETER = /key|token|secret|sig|password|auth/i;

const HIDDEN = "***";

/** The values of parameters that may be secret. */
export function secretParametersIn({ searchParams }: URL): string[] {
  const found = [...searchParams].filter(([name]) => SECRET_PARAMETER.test(name));
  return found.map(([, value]) => value);
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
