/** Whether the function returns, whatever it returns, instead of throwing: for questions that node:crypto only answers so. */
export function succeeds(act: () => unknown): boolean {
  try {
    act()
    return true
  } catch {
    return false
  }
}
