/** The names of the fields of a page's forms, beside those of an operation's properties. */
export const formNames = {
  /** The form token of the session. */
  token: '_token',
  /** PATCH or DELETE, which HTML forms cannot send. */
  method: '_method',
  /** The ETag of the item that was edited, as If-Match. */
  etag: '_if-match',
  /** The Idempotency-Key of a POST: a form that is sent twice runs once. */
  key: '_key',
  /** The path of the page that offers the form. A form that is drawn again may lead back to it. */
  page: '_page',
  /** Asks for the choices of a reference instead of the operation. */
  search: '_search',
  /** The text that the choices of a reference are searched by. */
  searchText: (name: string) => `_find[${name}]`,
  /** A date-time as it was drawn: its local time, and the instant that it stands for. */
  drawn: (name: string) => `_was[${name}]`,
}
