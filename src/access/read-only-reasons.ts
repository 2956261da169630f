/** The organization statuses in which members may only read, with the message of the 403. */
export const readOnlyReasons: Record<string, string> = {
  suspended: 'Your organization is suspended: it can be read, but not changed. Ask the operator of this service.',
  closed: 'Your organization is closed: it can be read, but not changed.',
}
