/** Whether the client reads this coding: it names it, and not with a quality of 0. */
export function acceptsCoding(
  name: "br" | "gzip",
  acceptEncoding: string | string[] | undefined = "",
): boolean {
  const codings = String(acceptEncoding).toLowerCase().split(",");
  return codings.some((coding) => {
    const [given = "", ...parameters] = coding.split(";").map((part) => part.trim());
    return given === name && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
