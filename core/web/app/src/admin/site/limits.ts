/** bytes of one file of the site, as the API documents and keeps to. */
export const maxMediaBytes = 5 << 20;
