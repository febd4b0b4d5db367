/** Does `work` for 0 to `count` - 1, so many at once; each worker takes the next one. */
export async function inTurn(
  count: number,
  atOnce: number,
  work: (turn: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
