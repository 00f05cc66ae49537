import { Page } from "../ui/Page";
import { text } from "../text";

export function Overview() {
  return <Page title={text.nav.overview}>{null}</Page>;
}
