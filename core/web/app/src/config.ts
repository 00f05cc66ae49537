// What the core says about itself in the page, so that no request is needed to know it.

export interface Config {
  /** Where browsers reach the core; sign-in returns there. */
  origin: string;
  /** Name of the business. */
  site: string;
  /** The data was made to look at. */
  demo: boolean;
  version: string;
  /** What is asked for at sign-in. People get what their roles allow. */
  scopes: string[];
  /** BCP 47; empty: the browser's. */
  locale: string;
  /** Where referral links answer, without a slash at the end. */
  tracker: string;
}

function read(): Config {
  const text = document.getElementById("config")?.textContent;
  if (!text) {
    throw new Error("The page carries no configuration: it must be served by the core.");
  }
  return JSON.parse(text) as Config;
}

export const config = read();
